using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Model;

public sealed class ModelShapeTests
{
    /// <summary>fla-hub/retnet-1.3B-100B has 1,351,727,104 values: these and 24 · (2 · 2048 + 512) + 2048 of norms.</summary>
    [Fact]
    public void ThePublishedModelsSize() => Assert.Equal(1_351_727_104 - (24 * (2 * 2048 + 512) + 2048), ModelShape.Parse("1.3b").Parameters);

    [Theory]
    [InlineData("tiny", 5.8e6)]
    [InlineData("350M", 380e6)]
    [InlineData("2.7b", 2.72e9)]
    [InlineData("6.7b", 6.77e9)]
    [InlineData("torchscale-medium", 0.269e9)]
    [InlineData("torchscale-xl", 1.352e9)]
    [InlineData("torchscale-3b", 2.687e9)]
    [InlineData("torchscale-7b", 6.772e9)]
    public void NamesWithTheirSizes(string name, double parameters) => Assert.InRange(ModelShape.Parse(name).Parameters / parameters, 0.99, 1.01);

    [Fact]
    public void BySizes()
    {
        var config = ModelShape.Parse("64,3,2,6,7,96,300").Config;

        Assert.Equal((64, 3, 2, 2, 6, 7, 96, 300), (config.Width, config.Layers, config.Heads, config.KeyValueHeads, config.KeySize, config.ValueSize, config.FeedForwardSize, config.VocabularySize));
        Assert.Equal([1 - 1 / 32f, 1 - 1 / 64f], config.Decay);
        Assert.Equal(3, config.Angles.Count);
    }

    [Fact]
    public void ATokenizersVocabulary()
    {
        Assert.Equal(777, ModelShape.Parse("64,3,2,6,7,96", vocabulary: 777).Config.VocabularySize);
        Assert.Equal(800, ModelShape.Parse("64,3,2,6,7,96,800", vocabulary: 777).Config.VocabularySize);
        Assert.Equal(777, ModelShape.Parse("350m", vocabulary: 777).Config.VocabularySize);
    }

    [Theory]
    [InlineData("", "one of tiny, 350m, 1.3b")]
    [InlineData("13b", "it is '13b'")]
    [InlineData("64,3,2,6,7,96", "seven numbers")]
    [InlineData("64,3,2,6,7,96,300,1", "seven numbers")]
    [InlineData("64,3,2,6,0,96,300", "DV must be a whole number from 1")]
    [InlineData("-64,3,2,6,7,96,300", "D must be")]
    [InlineData("64, 3,2,6,7,96,300", "L must be")]
    [InlineData("99999999999,3,2,6,7,96,300", "D must be")]
    [InlineData("64,3,2,5,7,96,300", "DK must be even")]
    [InlineData("64,257,2,6,7,96,300", "up to 256 layers")]
    [InlineData("64,3,1048576,2,7,96,300", "heads together")]
    public void WhatIsNoShape(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => ModelShape.Parse(text)).Message, StringComparison.Ordinal);
}
