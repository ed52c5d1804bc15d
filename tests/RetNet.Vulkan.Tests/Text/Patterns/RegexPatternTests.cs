using System.Globalization;
using System.Text;
using RetNet.Vulkan.Text;
using RetNet.Vulkan.Text.Patterns;

namespace RetNet.Vulkan.Tests.Text.Patterns;

public class RegexPatternTests
{
    [Theory]
    [InlineData(@"\p{L}+", "ab 𝐀𐐁1", "ab|𝐀𐐁")]
    [InlineData(@"\p{N}{1,3}", "12345𝟏𝟐", "123|45𝟏|𝟐")]
    [InlineData(@"[^\s\p{L}\p{N}]+", "🙂!a😀", "🙂!|😀")]
    [InlineData(@"(?i:'s|'t)", "'S'ſ'T", "'S|'ſ|'T")]
    [InlineData(@"'(?i:[sdmt]|ll)", "'ſ'LL's", "'ſ|'LL|'s")]
    [InlineData(@"(?i)s(?-i:x)?", null, "'(?-i' is not supported")]
    [InlineData(@"[^\r\n\p{L}\p{N}]?+\p{L}+", "!ab c", "!ab| c")]
    [InlineData("a++a|b", "aab", "b")]
    [InlineData("(ab)*+c|d", "ababcd", "ababc|d")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{x}", "a{x}", "a{x}")]
    [InlineData(@"\s+(?!\S)|\s+", "a   b ", "  | | ")]
    [InlineData(@"^b$", "a\nb\nc", "b")]
    [InlineData(@"\h+\x{41}\x42", "zf0AB", "f0AB")]
    [InlineData(@"\P{^L}", "1a", "a")]
    [InlineData(@"\w+", "a_\u0903Ⅷ-𐐀", "a_\u0903Ⅷ|𐐀")]
    [InlineData("[[a]b]", null, "inside a character class")]
    [InlineData("[a&&b]", null, "inside a character class")]
    [InlineData("[]a]", null, "begins with ']'")]
    [InlineData("[a", null, "does not end")]
    [InlineData("(a", null, "a group does not end")]
    [InlineData("a)", null, "closes no group")]
    [InlineData("a**", null, "follows a quantifier")]
    [InlineData("a{1,2}+", null, "follows a quantifier")]
    [InlineData("*a", null, "nothing to repeat")]
    [InlineData(@"\bx", null, @"'\b' is not supported")]
    [InlineData(@"(a)\1", null, @"'\1' is not supported")]
    [InlineData(@"\p{Han}", null, "the property 'Han'")]
    [InlineData(@"\p", null, "no name in braces")]
    [InlineData(@"\p{", null, "no name in braces")]
    [InlineData(@"\p{}", null, "the property ''")]
    [InlineData(@"\xE9", null, "names no character")]
    [InlineData("(?<n>a)", null, "'(?<n'")]
    [InlineData("🙂", null, "beyond the basic plane")]
    [InlineData("a{2,1}", null, "")]
    [InlineData("[z-a]", null, "")]
    [InlineData("\\", null, "ends with")]
    public void Matches_as_Oniguruma_or_refuses(string pattern, string? text, string expected)
    {
        if (text is null)
            Assert.Contains(expected, Assert.ThrowsAny<ArgumentException>(() => new RegexPattern(pattern)).Message, StringComparison.Ordinal);
        else
            Assert.Equal(expected, string.Join('|', new RegexPattern(pattern).Matches(text).Select(match => text[match.Start..match.End])));
    }

    [Fact]
    public void Refuses_patterns_of_absurd_length()
    {
        Assert.Throws<ArgumentException>(() => new RegexPattern(new string('{', 1_000_000)));
    }

    [Fact]
    public void A_pattern_that_never_ends_is_ended()
    {
        Assert.Throws<TokenizerException>(() => new RegexPattern("(?:a|aa)+[^a]").Matches(new string('a', 40_000)));
    }

    [Fact]
    public void Characters_beyond_the_plane_keep_their_category()
    {
        foreach (var category in Enum.GetValues<UnicodeCategory>())
        {
            if (Enumerable.Range(0x10000, 0x100000).Any(code => Rune.GetUnicodeCategory(new Rune(code)) == category))
                Assert.Equal(category, CharUnicodeInfo.GetUnicodeCategory(BasicPlaneText.Representative(category)));
        }
    }
}
