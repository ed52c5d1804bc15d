using RetNet.Bench.Plots;

namespace RetNet.Bench;

/// <summary>
/// The paper's figure on the cost of inference (arXiv 2307.08621, §3.4): memory, throughput and latency against the context, and
/// throughput and latency against the batch.
/// </summary>
public static class PaperPlot
{
    private const string Context = "tokens of context";
    private const string Rate = "tokens/s, all sequences together";
    private const string Latency = "ms a token";
    private const double GiB = 1 << 30;
    private const double MiB = 1 << 20;

    /// <summary>The charts of a report that has a <see cref="BenchReport.Paper"/>.</summary>
    public static IReadOnlyList<Chart> Charts(BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Paper is not { } paper)
            throw new ArgumentException("the report has not the paper's figure");
        var byContext = report.Measurements.Where(measurement => paper.Batches.Contains(measurement.Batch)).ToArray();
        var byBatch = report.Measurements.Where(measurement => measurement.Depth == paper.BatchContext).ToArray();
        var at = FormattableString.Invariant($" at {paper.BatchContext:N0} tokens of context");
        var (unit, bytes) = byContext.Any(measurement => measurement.AllocatedBytes >= GiB) ? ("GiB", GiB) : ("MiB", MiB);
        return
        [
            new("Memory", Context, unit, Lines(byContext, named: true, measurement => measurement.Depth, measurement => Exactly(measurement.AllocatedBytes / bytes))),
            new("Throughput", Context, Rate, Lines(byContext, named: true, measurement => measurement.Depth, Throughput)),
            new("Latency", Context, Latency, Lines(byContext, named: true, measurement => measurement.Depth, Milliseconds)),
            new("Throughput" + at, "sequences at once", Rate, Lines(byBatch, named: false, measurement => measurement.Batch, Throughput)),
            new("Latency" + at, "sequences at once", Latency, Lines(byBatch, named: false, measurement => measurement.Batch, Milliseconds)),
        ];
    }

    private static Point Exactly(double y) => new(0, y, y, y);

    private static Point Throughput(Measurement measurement) =>
        new(0, measurement.TokensPerSecond.Median, measurement.TokensPerSecond.Min, measurement.TokensPerSecond.Max);

    private static Point Milliseconds(Measurement measurement) => new(
        0, 1000 * measurement.SecondsPerToken, 1000 * measurement.Batch / measurement.TokensPerSecond.Max, 1000 * measurement.Batch / measurement.TokensPerSecond.Min);

    private static List<Series> Lines(Measurement[] measurements, bool named, Func<Measurement, int> x, Func<Measurement, Point> point) =>
    [
        .. measurements.GroupBy(measurement => (measurement.Model, measurement.Type, measurement.Architecture, Batch: named ? measurement.Batch : 1)).Select(group => new Series(
            $"{group.Key.Model} {group.Key.Type} {group.Key.Architecture}{(group.Key.Batch > 1 ? $" × {group.Key.Batch}" : "")}",
            [.. group.Select(measurement => point(measurement) with { X = x(measurement) })])),
    ];
}
