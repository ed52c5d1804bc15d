using System.Globalization;
using System.Text;

namespace RetNet.Vulkan.Text.Patterns;

/// <summary>Every numeric character (Unicode Nd, Nl, No), each a match of its own.</summary>
internal sealed class NumericPattern : IPattern
{
    /// <inheritdoc/>
    public IEnumerable<TextRange> Matches(string text)
    {
        var start = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var end = start + rune.Utf16SequenceLength;
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber)
                yield return new TextRange(start, end);
            start = end;
        }
    }
}
