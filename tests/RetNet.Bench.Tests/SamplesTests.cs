namespace RetNet.Bench.Tests;

public sealed class SamplesTests
{
    [Theory]
    [InlineData(new[] { 7.0 }, 7, 7, 7)]
    [InlineData(new[] { 9.0, 1, 5 }, 5, 1, 9)]
    [InlineData(new[] { 4.0, 1, 100, 2 }, 3, 1, 100)]
    public void MedianAndRange(double[] values, double median, double min, double max)
    {
        var samples = new Samples(values);

        Assert.Equal((median, min, max), (samples.Median, samples.Min, samples.Max));
    }
}
