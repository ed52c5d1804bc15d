using System.Globalization;
using System.Text;

namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>
/// Hugging Face's <c>ByteLevel</c> pre-tokenizer: cuts text into words by GPT-2's pattern and spells each
/// word in the <see cref="ByteLevelAlphabet"/>.
/// </summary>
/// <param name="addPrefixSpace">Whether text that does not begin with a space is given one.</param>
/// <param name="useRegex">Whether text is cut at all; otherwise all of it is one word.</param>
/// <remarks>
/// The pattern, <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, is scanned
/// by hand: .NET's Regex sees UTF-16 units and would put letters and digits outside the BMP in the wrong class.
/// </remarks>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : IPreTokenizer
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum RuneClass
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <inheritdoc/>
    public IEnumerable<TextPiece> Split(TextPiece piece)
    {
        var text = addPrefixSpace && piece.Text[0] != ' ' ? " " + piece.Text : piece.Text;
        for (var start = 0; start < text.Length;)
        {
            var length = useRegex ? WordLength(text.AsSpan(start)) : text.Length;
            yield return new TextPiece(ByteLevelAlphabet.Spell(text.AsSpan(start, length)), piece.Starts && start == 0);
            start += length;
        }
    }

    /// <summary>UTF-16 length of the word that <paramref name="text"/>, which is not empty, begins with.</summary>
    private static int WordLength(ReadOnlySpan<char> text)
    {
        foreach (var contraction in Contractions)
        {
            if (text.StartsWith(contraction, StringComparison.Ordinal))
                return contraction.Length;
        }

        // A run of letters, numbers or others takes one U+0020 in front with it.
        var space = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        var kind = ClassOf(text[space..], out _);
        return kind == RuneClass.Space ? SpaceLength(text) : space + RunLength(text[space..], kind, out _);
    }

    /// <summary>White space leaves its last character to the word that follows, unless it has only one.</summary>
    private static int SpaceLength(ReadOnlySpan<char> text)
    {
        var length = RunLength(text, RuneClass.Space, out var lastRune);
        return length == text.Length || length == lastRune ? length : length - lastRune;
    }

    private static int RunLength(ReadOnlySpan<char> text, RuneClass kind, out int lastRune)
    {
        var length = 0;
        lastRune = 0;
        while (length < text.Length && ClassOf(text[length..], out var rune) == kind)
        {
            length += rune;
            lastRune = rune;
        }

        return length;
    }

    private static RuneClass ClassOf(ReadOnlySpan<char> text, out int length)
    {
        Rune.DecodeFromUtf16(text, out var rune, out length);
        if (Rune.IsWhiteSpace(rune))
            return RuneClass.Space;

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => RuneClass.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber => RuneClass.Number,
            _ => RuneClass.Other,
        };
    }
}
