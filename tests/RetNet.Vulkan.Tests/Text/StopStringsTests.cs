using System.Text;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text;

public sealed class StopStringsTests
{
    [Theory]
    [InlineData("one. two", ".", "one")]
    [InlineData("one two", ".", "one two")]
    [InlineData("ab", "abc", "ab")]
    [InlineData("aab", "ab", "a")]
    [InlineData("aaab", "aab", "a")]
    [InlineData("abcd", "abcd|bc", "a")]
    [InlineData("abcd", "d|bcd", "a")]
    [InlineData("x\nUser: y", "\nUser:", "x")]
    [InlineData("größer 😀!", "😀", "größer ")]
    [InlineData("", "a", "")]
    [InlineData("free", "", "free")]
    public void EndsAtTheFirstStopWhateverThePieces(string text, string stops, string expected)
    {
        for (var size = 1; size <= Math.Max(text.Length, 1); size++)
        {
            var filter = new StopStrings(stops.Split('|', StringSplitOptions.RemoveEmptyEntries));
            var actual = new StringBuilder();
            foreach (var piece in text.Chunk(size))
                actual.Append(filter.Append(new string(piece)));
            actual.Append(filter.Flush());

            Assert.Equal(expected, actual.ToString());
            Assert.Equal(expected.Length < text.Length, filter.Met);
        }
    }

    [Fact]
    public void HoldsBackOnlyWhatMayBeginAStop()
    {
        var filter = new StopStrings(["END", "\n\n"]);

        Assert.Equal("a", filter.Append("aE"));
        Assert.Equal("", filter.Append("N"));
        Assert.Equal("ENd", filter.Append("d\n"));
        Assert.Equal("\nb", filter.Append("b"));
    }

    [Fact]
    public void ReturnsNothingAfterTheStop()
    {
        var filter = new StopStrings(["."]);

        Assert.Equal("a", filter.Append("a. b"));
        Assert.Equal("", filter.Append("c") + filter.Flush());
    }

    [Fact]
    public void RefusesAnEmptyStop() => Assert.Throws<ArgumentException>(() => new StopStrings(["a", ""]));
}
