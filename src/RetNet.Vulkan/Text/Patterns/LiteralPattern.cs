namespace RetNet.Vulkan.Text.Patterns;

/// <summary>A string that matches itself; the empty one matches nowhere.</summary>
internal sealed class LiteralPattern(string literal) : IPattern
{
    /// <inheritdoc/>
    public IEnumerable<TextRange> Matches(string text)
    {
        if (literal.Length == 0)
            yield break;
        for (var at = 0; (at = text.IndexOf(literal, at, StringComparison.Ordinal)) >= 0; at += literal.Length)
            yield return new TextRange(at, at + literal.Length);
    }
}
