using RetNet.Vulkan.Text;
using RetNet.Vulkan.Text.Patterns;
using RetNet.Vulkan.Text.PreTokenizers;

namespace RetNet.Vulkan.Tests.Text.PreTokenizers;

public class SplitPreTokenizerTests
{
    // The example of Hugging Face's documentation of SplitDelimiterBehavior.
    [Theory]
    [InlineData("Removed", false, "the|final|countdown")]
    [InlineData("Isolated", false, "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", false, "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", false, "the|-final|-|-countdown")]
    [InlineData("Contiguous", false, "the|-|final|--|countdown")]
    [InlineData("Removed", true, "-|-|-")]
    [InlineData("Contiguous", true, "the|-|final|--|countdown")]
    public void Follows_the_behaviour(string behavior, bool invert, string words)
    {
        var preTokenizer = new SplitPreTokenizer(new LiteralPattern("-"), Enum.Parse<SplitBehavior>(behavior), invert);
        Assert.Equal(words.Split('|'), Words(preTokenizer, "the-final--countdown"));
    }

    [Theory]
    [InlineData(SplitBehavior.Isolated, "a|1|𝟐|³|b")]
    [InlineData(SplitBehavior.Contiguous, "a|1𝟐³|b")]
    internal void Digits_are_numbers_of_any_script(SplitBehavior behavior, string words)
    {
        Assert.Equal(words.Split('|'), Words(new SplitPreTokenizer(new NumericPattern(), behavior, invert: false), "a1𝟐³b"));
    }

    [Theory]
    [InlineData(PrependScheme.Always, true, true, "▁Hey|▁|▁friend")]
    [InlineData(PrependScheme.Always, false, false, "▁Hey▁▁friend")]
    [InlineData(PrependScheme.First, true, true, "▁Hey|▁|▁friend")]
    [InlineData(PrependScheme.First, false, true, "Hey|▁|▁friend")]
    [InlineData(PrependScheme.Never, true, true, "Hey|▁|▁friend")]
    internal void Metaspace_puts_a_space_where_its_scheme_says(PrependScheme scheme, bool starts, bool split, string words)
    {
        var preTokenizer = new MetaspacePreTokenizer("▁", scheme, split);
        Assert.Equal(words.Split('|'), preTokenizer.Split(new TextPiece("Hey  friend", starts)).Select(word => word.Text));
        Assert.Equal(["▁x"], preTokenizer.Split(new TextPiece(" x", starts)).Select(word => word.Text));
    }

    [Fact]
    public void A_sequence_cuts_again_and_knows_where_the_text_starts()
    {
        var sequence = new SequencePreTokenizer(
        [
            new SplitPreTokenizer(new LiteralPattern("-"), SplitBehavior.Removed, invert: false),
            new MetaspacePreTokenizer("▁", PrependScheme.First, split: true),
        ]);
        Assert.Equal(["▁a", "▁b", "c"], Words(sequence, "a b-c"));
        Assert.Equal(["a"], Words(sequence, "-a"));
    }

    private static IEnumerable<string> Words(IPreTokenizer preTokenizer, string text) =>
        preTokenizer.Split(new TextPiece(text, Starts: true)).Select(word => word.Text);
}
