using RetNet.Vulkan.Text.Patterns;

namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>SentencePiece's words: spaces become a visible character, usually <c>▁</c>, which words begin with.</summary>
/// <param name="replacement">What spaces become, one character.</param>
/// <param name="prepend">Where text that does not begin with a space is given one.</param>
/// <param name="split">Whether text is cut at all; otherwise all of it is one word.</param>
internal sealed class MetaspacePreTokenizer(string replacement, PrependScheme prepend, bool split) : IPreTokenizer
{
    private readonly SplitPreTokenizer _words = new(new LiteralPattern(replacement), SplitBehavior.MergedWithNext, invert: false);

    /// <inheritdoc/>
    public IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var text = piece.Text.Replace(" ", replacement, StringComparison.Ordinal);
        if ((prepend == PrependScheme.Always || (prepend == PrependScheme.First && piece.Starts)) && !text.StartsWith(replacement, StringComparison.Ordinal))
            text = replacement + text;
        piece = piece with { Text = text };
        return split ? _words.Split(piece) : [piece];
    }
}
