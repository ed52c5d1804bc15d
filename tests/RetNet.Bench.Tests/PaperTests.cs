using System.Text.Json;
using System.Xml.Linq;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Tests;

/// <summary>The paper's figure of a micro shape. Figures are only asked to be there.</summary>
[Collection(TestDevices.Collection)]
public sealed class PaperTests(TestDevices devices)
{
    private const string Micro = "64,2,2,16,48,96,300";

    /// <summary>What several tests look at, measured once.</summary>
    private static BenchReport? _report;

    private static PaperSweep Sweep { get; } = new() { Contexts = [5, 70], Batches = [1, 3], BatchSizes = [1, 2, 65] };

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void BothAreMeasuredAtEveryPointOnce(int device, string name)
    {
        _ = name;
        var report = Run(device, GgmlType.F16, GgmlType.Q4_0);

        (int, int)[] points = [(1, 5), (1, 70), (3, 5), (3, 70), (2, 70)];
        foreach (var group in report.Measurements.GroupBy(measurement => (measurement.Architecture, measurement.Type)))
            Assert.Equal(points, group.Select(measurement => (measurement.Batch, measurement.Depth)));
        Assert.Equal(4 * points.Length, report.Measurements.Count);
        Assert.Equal(4, report.Skipped.Count(skipped => skipped.Reason == "at most 64 sequences are decoded together"));
        Assert.All(report.Measurements, measurement => Assert.True(double.IsFinite(measurement.SecondsPerToken) && measurement.SecondsPerToken > 0));
        Assert.Equal(0ul, devices[device].AllocatedBytes);
    }

    [Fact]
    public void OnlyTheTransformerGrowsWithTheContext()
    {
        var report = Report;

        Assert.Equal(0, Growth(Architecture.RetNet));
        // Two layers, keys and values, 64 wide, f16.
        Assert.Equal(2 * 2 * 64 * 2 * (70 - 5), Growth(Architecture.Transformer));

        long Growth(Architecture architecture)
        {
            var bytes = report.Measurements.Where(measurement => measurement.Architecture == architecture && measurement.Batch == 1).ToDictionary(measurement => measurement.Depth, measurement => (long)measurement.AllocatedBytes);
            return bytes[70] - bytes[5];
        }
    }

    [Fact]
    public void TheComparisonIsOfTheLargestBatchOfBoth()
    {
        var report = Report;
        var missing = report with { Measurements = [.. report.Measurements.Where(measurement => measurement.Architecture == Architecture.RetNet || measurement.Batch < 3)] };

        var comparison = Assert.Single(PaperComparison.Of(missing));
        Assert.Equal((2, 2, 3, 2), (comparison.RetNet.Batch, comparison.Transformer.Batch, comparison.LargestRetNet.Batch, comparison.LargestTransformer.Batch));
        Assert.Equal(comparison.RetNet.TokensPerSecond.Median / comparison.Transformer.TokensPerSecond.Median, comparison.Throughput);
        Assert.Empty(PaperComparison.Of(report with { Measurements = [.. report.Measurements.Where(measurement => measurement.Architecture == Architecture.RetNet)] }));
    }

    [Fact]
    public void ReportsCanBeReadBack()
    {
        var report = Report;

        using var json = JsonDocument.Parse(JsonReport.Write(report));
        Assert.Equal(["retnet", "transformer"], json.RootElement.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("architecture").GetString()));
        Assert.Equal(3, json.RootElement.GetProperty("comparisons")[0].GetProperty("batch").GetInt32());
        var last = json.RootElement.GetProperty("measurements").EnumerateArray().Last();
        Assert.Equal("transformer", last.GetProperty("architecture").GetString());
        Assert.Equal(report.Measurements[^1].SecondsPerToken, last.GetProperty("secondsPerToken").GetDouble(), report.Measurements[^1].SecondsPerToken * 1e-5);
        Assert.Equal(5, CsvReport.Write(report).Split('\n').Count(line => line.Contains(",transformer,", StringComparison.Ordinal)));

        var charts = PaperPlot.Charts(report);
        Assert.Equal(["Memory", "Throughput", "Latency", "Throughput at 70 tokens of context", "Latency at 70 tokens of context"], charts.Select(chart => chart.Title));
        Assert.All(charts.Take(3), chart => Assert.Equal(4, chart.Series.Count));
        Assert.All(charts.Skip(3), chart => Assert.Equal([3, 3], chart.Series.Select(series => series.Points.Count)));
        Assert.Equal(5, XDocument.Parse(PlotReport.Write(report)).Descendants().Count(element => element.Name.LocalName == "g"));
    }

    [Fact]
    public void AProfileHasTheAttention()
    {
        if (devices[First].Capabilities.TimestampPeriod == 0)
            return;
        var benchmark = new Benchmark(devices[First], new BenchOptions { Tokens = 2, Runs = 1, Profile = true });
        benchmark.Run(ModelShape.Parse(Micro), new PaperSweep { Contexts = [200], Batches = [1], BatchSizes = [1] });

        var transformer = benchmark.Report("test").Measurements.Single(measurement => measurement.Architecture == Architecture.Transformer);
        Assert.Equal(2 * 2, transformer.Kernels.Single(kernel => kernel.Name == "attention").Dispatches);
        Assert.Contains(transformer.Kernels, kernel => kernel.Name == "attention_combine");
        Assert.DoesNotContain(transformer.Kernels, kernel => kernel.Name.StartsWith("retention", StringComparison.Ordinal));
    }

    private static int First => (int)TestDevices.All.First()[0];

    private BenchReport Report => _report ??= Run(First, GgmlType.F16);

    private BenchReport Run(int device, params GgmlType[] types)
    {
        var benchmark = new Benchmark(devices[device], new BenchOptions { Types = types, Tokens = 3, Runs = 2 });
        benchmark.Run(ModelShape.Parse(Micro), Sweep);
        return benchmark.Report("test 1.0");
    }
}
