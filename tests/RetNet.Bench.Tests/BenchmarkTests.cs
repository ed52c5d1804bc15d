using System.Text.Json;
using System.Xml.Linq;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Tests;

/// <summary>Sweeps of a micro shape on every device, and the reports of them. Figures are only asked to be there.</summary>
[Collection(TestDevices.Collection)]
public sealed class BenchmarkTests(TestDevices devices)
{
    private const string Micro = "64,2,2,16,24,96,300";

    private static BenchOptions Options { get; } = new()
    {
        Types = [GgmlType.F16, GgmlType.Q4_0],
        Prompts = [7, 70],
        Depths = [0, 3000],
        Batches = [1, 3],
        Tokens = 3,
        Runs = 2,
    };

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void EveryCombinationIsMeasured(int device, string name)
    {
        _ = name;
        var report = Run(device, Options with { StateType = StateType.F16 }, "64,2,2,16,32,96,300");

        foreach (var type in new[] { "f16", "q4_0" })
            foreach (var batch in Options.Batches)
            {
                Assert.Equal(Options.Prompts, Of(report, type, batch, MeasurementKind.Prefill).Select(measurement => measurement.Tokens));
                Assert.Equal(Options.Depths, Of(report, type, batch, MeasurementKind.Decode).Select(measurement => measurement.Depth));
            }

        Assert.All(report.Measurements, measurement =>
        {
            Assert.Equal(Options.Runs, measurement.TokensPerSecond.Values.Count);
            Assert.All(measurement.TokensPerSecond.Values, value => Assert.True(double.IsFinite(value) && value > 0));
            Assert.True(measurement.AllocatedBytes > report.Models.First(model => model.Type == measurement.Type).WeightBytes);
        });
        Assert.Empty(report.Skipped);
        Assert.True(report.Limits.CopyBytesPerSecond > 0 && report.Limits.ProductFlopsPerSecond > 0);
    }

    [Fact]
    public void ReportsCanBeReadBack()
    {
        var report = Run(First, Options with { Batches = [1], Depths = [0] }, Micro) with { Skipped = [new("a, \"b\"", "c\nd")] };

        using var json = JsonDocument.Parse(JsonReport.Write(report));
        var first = json.RootElement.GetProperty("measurements")[0];
        Assert.Equal("decode", first.GetProperty("kind").GetString());
        Assert.Equal(report.Measurements[0].TokensPerSecond.Median, first.GetProperty("median").GetDouble(), report.Measurements[0].TokensPerSecond.Median * 1e-5);
        Assert.Equal(report.Device.Driver, json.RootElement.GetProperty("device").GetProperty("driver").GetString());
        Assert.Equal("c\nd", json.RootElement.GetProperty("skipped")[0].GetProperty("reason").GetString());

        var lines = CsvReport.Write(report).TrimEnd('\n').Split('\n').Select(Fields).ToArray();
        Assert.Equal(report.Measurements.Count + 1, lines.Length);
        Assert.All(lines, line => Assert.Equal(lines[0].Count, line.Count));
        Assert.Equal(Micro, lines[1][lines[0].IndexOf("model")]);

        Assert.Equal(2, XDocument.Parse(PlotReport.Write(report)).Descendants().Count(element => element.Name.LocalName == "g"));
    }

    [Fact]
    public void AProfileHasTheProductsByTheirUse()
    {
        if (devices[First].Capabilities.TimestampPeriod == 0)
            return;
        var report = Run(First, Options with { Types = [GgmlType.F16], Batches = [1], Depths = [5], Prompts = [70], Profile = true }, Micro);

        var decode = report.Measurements.Single(measurement => measurement.Kind == MeasurementKind.Decode);
        foreach (var use in new[] { ": q, k, v, g", ": output", ": feed-forward in", ": feed-forward down", ": logits" })
            Assert.Contains(decode.Kernels, kernel => kernel.Name.EndsWith(use, StringComparison.Ordinal));
        Assert.Equal(decode.ProfiledTokens, decode.Kernels.Single(kernel => kernel.Name.EndsWith(": logits", StringComparison.Ordinal)).Dispatches);
        Assert.Contains(report.Measurements.Single(measurement => measurement.Kind == MeasurementKind.Prefill).Kernels, kernel => kernel.Name.StartsWith("retention_chunk_outputs", StringComparison.Ordinal));
    }

    [Fact]
    public void AProfileOfABatchHasItsSteps()
    {
        if (devices[First].Capabilities.TimestampPeriod == 0)
            return;
        var report = Run(First, Options with { Types = [GgmlType.F16], Batches = [3], Depths = [5], Prompts = [], Profile = true }, Micro);

        var decode = report.Measurements.Single();
        Assert.Equal(3 * Options.Tokens, decode.ProfiledTokens);
        Assert.Equal(Options.Tokens, decode.Kernels.Single(kernel => kernel.Name.EndsWith(": logits", StringComparison.Ordinal)).Dispatches);
    }

    [Fact]
    public void MoreSequencesThanABatchTakesAreLeftOut()
    {
        var report = Run(First, Options with { Types = [GgmlType.F16], Batches = [65], Depths = [0], Prompts = [] }, Micro);

        Assert.Empty(report.Measurements);
        Assert.Equal("at most 64 sequences are decoded together", Assert.Single(report.Skipped).Reason);
    }

    /// <summary>Values of 24 make rows of 48, which are no whole blocks.</summary>
    [Fact]
    public void RowsThatNoBlockHoldsAreTold()
    {
        var report = Run(First, Options with { Types = [GgmlType.Q8_0], Batches = [1], Depths = [], Prompts = [7] }, Micro);

        Assert.Equal(["kept in f16, rows of 48 are no whole q8_0 blocks of 32"], report.Models.Single().Notes);
    }

    [Fact]
    public void WhatDoesNotFitIsLeftOutAndTheRestGoesOn()
    {
        var benchmark = new Benchmark(devices[First], Options with { Types = [GgmlType.F16], Batches = [1], Depths = [0], Prompts = [] });
        benchmark.Run(ModelShape.Parse("1048576,256,1024,1024,1024,1048576,1048576"));
        benchmark.Run(ModelShape.Parse(Micro));
        var report = benchmark.Report("test");

        Assert.Contains("does not fit", Assert.Single(report.Skipped).Reason, StringComparison.Ordinal);
        Assert.Equal(Micro, Assert.Single(report.Measurements).Model);
        Assert.Equal(0ul, devices[First].AllocatedBytes);
    }

    [Fact]
    public void ItCanBeCancelled()
    {
        using var source = new CancellationTokenSource();
        var benchmark = new Benchmark(devices[First], Options, step =>
        {
            if (step.Contains("prefill", StringComparison.Ordinal))
                source.Cancel();
        }, source.Token);

        Assert.Throws<OperationCanceledException>(() => benchmark.Run(ModelShape.Parse(Micro)));
        Assert.All(benchmark.Report("test").Measurements, measurement => Assert.Equal(MeasurementKind.Decode, measurement.Kind));
    }

    private static int First => (int)TestDevices.All.First()[0];

    private BenchReport Run(int device, BenchOptions options, string shape)
    {
        var benchmark = new Benchmark(devices[device], options);
        benchmark.Run(ModelShape.Parse(shape));
        return benchmark.Report("test 1.0");
    }

    private static IEnumerable<Measurement> Of(BenchReport report, string type, int batch, MeasurementKind kind) =>
        report.Measurements.Where(measurement => measurement.Type == type && measurement.Batch == batch && measurement.Kind == kind);

    private static List<string> Fields(string line)
    {
        var fields = new List<string>();
        for (var at = 0; at <= line.Length; at++)
        {
            var quoted = at < line.Length && line[at] == '"';
            var end = quoted ? line.IndexOf('"', at + 1) : line.IndexOf(',', at) is var comma and >= 0 ? comma : line.Length;
            fields.Add(line[(quoted ? at + 1 : at)..end]);
            at = quoted ? end + 1 : end;
        }

        return fields;
    }
}
