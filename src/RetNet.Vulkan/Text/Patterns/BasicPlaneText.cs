using System.Globalization;
using System.Text;

namespace RetNet.Vulkan.Text.Patterns;

/// <summary>
/// Text as .NET's Regex must see it: the engine looks at UTF-16 units, so each character beyond the basic plane is
/// given as one in the plane of the same general category. Patterns tell such characters apart by category only.
/// </summary>
internal sealed class BasicPlaneText
{
    /// <summary>Offset in the original of each character; null where they are the same.</summary>
    private readonly int[]? _offsets;

    /// <summary>Maps well-formed UTF-16 text.</summary>
    public BasicPlaneText(string text)
    {
        Text = text;
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return;

        var mapped = new StringBuilder(text.Length);
        _offsets = new int[text.Length + 1];
        var offset = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            _offsets[mapped.Length] = offset;
            mapped.Append(rune.IsBmp ? (char)rune.Value : Representative(Rune.GetUnicodeCategory(rune)));
            offset += rune.Utf16SequenceLength;
        }

        _offsets[mapped.Length] = offset;
        Text = mapped.ToString();
    }

    /// <summary>The text, one character a code point.</summary>
    public string Text { get; }

    /// <summary>The range of the original that a range of <see cref="Text"/> is.</summary>
    public TextRange Original(int start, int end) => _offsets is null ? new(start, end) : new(_offsets[start], _offsets[end]);

    /// <summary>A character of the category that no pattern names, without case and not white space.</summary>
    internal static char Representative(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u03D2',
        UnicodeCategory.LowercaseLetter => '\u0138',
        UnicodeCategory.ModifierLetter => '\u02EC',
        UnicodeCategory.OtherLetter => '\u01BB',
        UnicodeCategory.NonSpacingMark => '\u0350',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u20DD',
        UnicodeCategory.DecimalDigitNumber => '\u0966',
        UnicodeCategory.LetterNumber => '\u2182',
        UnicodeCategory.OtherNumber => '\u3192',
        UnicodeCategory.Format => '\u2061',
        UnicodeCategory.PrivateUse => '\uE000',
        UnicodeCategory.ConnectorPunctuation => '\u2040',
        UnicodeCategory.DashPunctuation => '\u2E3A',
        UnicodeCategory.OpenPunctuation => '\u2308',
        UnicodeCategory.ClosePunctuation => '\u2309',
        UnicodeCategory.InitialQuotePunctuation => '\u2E02',
        UnicodeCategory.FinalQuotePunctuation => '\u2E03',
        UnicodeCategory.OtherPunctuation => '\u2E18',
        UnicodeCategory.MathSymbol => '\u2A0C',
        UnicodeCategory.CurrencySymbol => '\u20B0',
        UnicodeCategory.ModifierSymbol => '\uA708',
        UnicodeCategory.OtherSymbol => '\u2B14',
        // Unassigned; the planes beyond have no titlecase letters, separators and controls.
        _ => '\uFFFE',
    };
}
