using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

public sealed class ScheduleTests
{
    /// <summary>nanoGPT's get_lr with the same settings.</summary>
    [Theory]
    [InlineData(0, 6e-4 / 11)]
    [InlineData(9, 6e-4 * 10 / 11)]
    [InlineData(10, 6e-4)]
    [InlineData(55, 3.3e-4)]
    [InlineData(99, 6.0164461e-5)]
    [InlineData(100, 6e-5)]
    [InlineData(1000, 6e-5)]
    public void RisesAndFalls(int step, double expected) => Assert.Equal(expected, new LearningRateSchedule(6e-4, 6e-5, WarmUp: 10, Steps: 100).At(step), 9);

    [Fact]
    public void WithoutWarmUpItBeginsAtThePeak() => Assert.Equal(1, new LearningRateSchedule(1, 0, 0, 5).At(0));

    [Fact]
    public void WarmUpMayLastAllAlong() => Assert.Equal(0.75, new LearningRateSchedule(1, 0.5, 3, 3).At(2));

    [Fact]
    public void LossScaleHalvesAndDoubles()
    {
        var scale = LossScale.Initial;
        Assert.Equal(32768, scale.After(finite: false).Value);
        for (var i = 0; i < LossScale.GoodStepsToDouble - 1; i++)
            scale = scale.After(finite: true);
        Assert.Equal(65536, scale.Value);
        Assert.Equal(65536, scale.After(finite: false).After(finite: true).Value * 2);
        Assert.Equal(131072, scale.After(finite: true).Value);
    }

    [Fact]
    public void LossScaleStaysInItsBounds()
    {
        var scale = LossScale.Initial;
        for (var i = 0; i < 40; i++)
            scale = scale.After(finite: false);
        Assert.Equal(1, scale.Value);
        Assert.False(scale.CanFall);
        Assert.Equal(LossScale.None, LossScale.None.After(finite: false));
        Assert.False(LossScale.None.CanFall);
    }

    [Fact]
    public void DecayRates()
    {
        Assert.Equal([31 / 32f, 63 / 64f, 127 / 128f], RetentionDecay.Parse("multiscale", 3));
        Assert.Equal([0.9f, 0.9f], RetentionDecay.Parse("single:0.9", 2));
        Assert.Equal([0.5f, 1f, 1e-6f], RetentionDecay.Parse("0.5,1,1e-6", 3));
    }

    [Theory]
    [InlineData("")]
    [InlineData("multi")]
    [InlineData("single:")]
    [InlineData("single:0")]
    [InlineData("single:1.0001")]
    [InlineData("single:-0.5")]
    [InlineData("single:nan")]
    [InlineData("single:inf")]
    [InlineData("single:1e-60")]
    [InlineData("single:0,9")]
    [InlineData("0.9")]
    [InlineData("0.9,0.8,0.7")]
    [InlineData("0.9,")]
    [InlineData("0.9,2")]
    public void WhatIsNoDecay(string text)
    {
        var message = Assert.Throws<ArgumentException>(() => RetentionDecay.Parse(text, 2)).Message;
        Assert.Contains(text.Split(':', ',')[^1], message, StringComparison.Ordinal);
        Assert.StartsWith(text.Contains("single", StringComparison.Ordinal) || text.Split(',').Length == 2 ? "a decay lies above 0" : "the decay must be multiscale", message, StringComparison.Ordinal);
    }
}
