using RetNet.Vulkan.Text.Normalizers;

namespace RetNet.Vulkan.Tests.Text.Normalizers;

public class UnicodeNormalizerTests
{
    // Text, NFC, NFD, NFKC, NFKD, as Python's unicodedata gives them.
    public static TheoryData<string, string, string, string, string> Forms { get; } = new()
    {
        { "plain", "plain", "plain", "plain", "plain" },
        { "e\u0301", "é", "e\u0301", "é", "e\u0301" },
        { "\u1E69", "\u1E69", "s\u0323\u0307", "\u1E69", "s\u0323\u0307" },
        { "s\u0307\u0323", "\u1E69", "s\u0323\u0307", "\u1E69", "s\u0323\u0307" },
        { "q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307" },
        { "한글", "한글", "\u1112\u1161\u11AB\u1100\u1173\u11AF", "한글", "\u1112\u1161\u11AB\u1100\u1173\u11AF" },
        { "\u1100\u1161\u11A8", "각", "\u1100\u1161\u11A8", "각", "\u1100\u1161\u11A8" },
        { "\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C" },
        { "\u212B", "\u00C5", "A\u030A", "\u00C5", "A\u030A" },
        { "ﬁ²½", "ﬁ²½", "ﬁ²½", "fi21\u20442", "fi21\u20442" },
        { "\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69", "s\u0323\u0307" },
        { "\uD834\uDD5E", "\uD834\uDD57\uD834\uDD65", "\uD834\uDD57\uD834\uDD65", "\uD834\uDD57\uD834\uDD65", "\uD834\uDD57\uD834\uDD65" },
        { "\uD835\uDC00\u0301", "\uD835\uDC00\u0301", "\uD835\uDC00\u0301", "Á", "A\u0301" },
        { "\u0301e\u0301", "\u0301é", "\u0301e\u0301", "\u0301é", "\u0301e\u0301" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Gives_the_four_forms(string text, string c, string d, string kc, string kd)
    {
        Assert.Equal(c, new UnicodeNormalizer(UnicodeForm.C).Normalize(text));
        Assert.Equal(d, new UnicodeNormalizer(UnicodeForm.D).Normalize(text));
        Assert.Equal(kc, new UnicodeNormalizer(UnicodeForm.KC).Normalize(text));
        Assert.Equal(kd, new UnicodeNormalizer(UnicodeForm.KD).Normalize(text));
    }

    [Fact]
    public void Normalising_twice_changes_nothing()
    {
        var random = new Random(7);
        foreach (var form in (UnicodeForm[])[UnicodeForm.C, UnicodeForm.D, UnicodeForm.KC, UnicodeForm.KD])
        {
            var normalizer = new UnicodeNormalizer(form);
            for (var i = 0; i < 300; i++)
            {
                var once = normalizer.Normalize(TokenizerFixtures.RandomText(random, 20) + (char)random.Next(0x300, 0x370));
                Assert.Equal(once, normalizer.Normalize(once));
            }
        }
    }

    [Fact]
    public void A_million_marks_are_sorted()
    {
        var text = "a" + string.Concat(Enumerable.Repeat("\u0307\u0323", 500_000));
        var sorted = new UnicodeNormalizer(UnicodeForm.D).Normalize(text);
        Assert.Equal("a" + new string('\u0323', 500_000) + new string('\u0307', 500_000), sorted);
    }
}
