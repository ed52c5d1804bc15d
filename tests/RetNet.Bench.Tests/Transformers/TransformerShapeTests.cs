using RetNet.Bench.Transformers;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Tests.Transformers;

public sealed class TransformerShapeTests
{
    [Theory]
    [InlineData("tiny", 2, 128)]
    [InlineData("350m", 8, 128)]
    [InlineData("1.3b", 16, 128)]
    [InlineData("2.7b", 20, 128)]
    [InlineData("6.7b", 32, 128)]
    [InlineData("torchscale-3b", 20, 128)]
    [InlineData("torchscale-7b", 32, 128)]
    [InlineData("192,3,2,64,128,256,100", 3, 64)]
    [InlineData("96,3,2,32,64,256,100", 3, 32)]
    public void ItHasTheSizeOfTheRetNet(string name, int heads, int headSize)
    {
        var retnet = ModelShape.Parse(name);
        var transformer = TransformerShape.Of(retnet);

        var config = transformer.Config;
        Assert.Equal((heads, headSize, headSize), (config.Heads, config.KeySize, config.ValueSize));
        Assert.Equal(config.Width, config.QueryWidth);
        Assert.Equal((retnet.Config.Width, retnet.Config.Layers, retnet.Config.VocabularySize), (config.Width, config.Layers, config.VocabularySize));
        Assert.Equal(0, config.FeedForwardSize % 64);
        // Half a step of the feed-forward network a layer.
        Assert.InRange(Math.Abs(transformer.Parameters - retnet.Parameters), 0, 3L * config.Width * 32 * config.Layers);
    }

    [Fact]
    public void ItsFeedForwardNetworkTakesWhatRetentionHasMore() => Assert.Equal(5568, TransformerShape.Of(ModelShape.Parse("1.3b")).Config.FeedForwardSize);

    [Fact]
    public void AnOddWidthIsRefused() =>
        Assert.Contains("'72,1,2,8,16,32,90' is 72 wide", Assert.Throws<ArgumentException>(() => TransformerShape.Of(ModelShape.Parse("72,1,2,8,16,32,90"))).Message, StringComparison.Ordinal);
}
