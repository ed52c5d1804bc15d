using System.Globalization;
using RetNet.Bench;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>The paper's figure for people: its points, and how the two compare.</summary>
internal static class PaperTable
{
    public static void Write(TextWriter writer, BenchReport report)
    {
        BenchTable.WriteHead(writer, report);
        if (report.Measurements.Count == 0)
            return;
        writer.WriteLine();
        var table = new TextTable("model", "", "type", "context>", "batch>", "tokens/s>", "min>", "max>", "ms a token>", "bytes/s>", "of copy>", "memory>");
        foreach (var measurement in report.Measurements)
            table.Add(
                measurement.Model,
                measurement.Architecture.ToString(),
                measurement.Type,
                measurement.Depth.ToString(CultureInfo.InvariantCulture),
                measurement.Batch.ToString(CultureInfo.InvariantCulture),
                BenchTable.Rate(measurement.TokensPerSecond.Median),
                BenchTable.Rate(measurement.TokensPerSecond.Min),
                BenchTable.Rate(measurement.TokensPerSecond.Max),
                FormattableString.Invariant($"{1000 * measurement.SecondsPerToken:F2}"),
                BenchTable.Scaled(measurement.BytesPerSecond, "B"),
                BenchTable.Share(measurement.BytesPerSecond / report.Limits.CopyBytesPerSecond),
                MemoryPlan.Size(measurement.AllocatedBytes));
        table.Write(writer);
        foreach (var comparison in PaperComparison.Of(report))
            Write(writer, comparison);
        BenchTable.WriteKernels(writer, report);
    }

    private static void Write(TextWriter writer, PaperComparison comparison)
    {
        var (retnet, transformer) = (comparison.LargestRetNet, comparison.LargestTransformer);
        writer.WriteLine();
        writer.WriteLine(FormattableString.Invariant($"{comparison.RetNet.Model} {comparison.RetNet.Type} at {comparison.RetNet.Depth:N0} tokens of context, RetNet over Transformer:"));
        writer.WriteLine(FormattableString.Invariant($"  batch {comparison.RetNet.Batch}, the largest measured of both: {comparison.Throughput:F2} × the tokens/s in {comparison.Memory:P0} of the memory"));
        writer.WriteLine(FormattableString.Invariant($"  batches {retnet.Batch} and {transformer.Batch}, the largest measured of each: {comparison.LargestThroughput:F2} × the tokens/s"));
        writer.WriteLine(FormattableString.Invariant($"  the paper (7B at 8k, its code and GPU): {PaperComparison.PaperThroughput} × the tokens/s in {PaperComparison.PaperMemory:P0} of the memory"));
    }
}
