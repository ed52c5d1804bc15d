namespace RetNet.Bench;

/// <summary>A RetNet beside its Transformer, at <see cref="PaperSweep.BatchContext"/>.</summary>
/// <param name="RetNet">The RetNet with the most sequences that fit for both.</param>
/// <param name="Transformer">The Transformer with as many.</param>
/// <param name="LargestRetNet">The RetNet with the most sequences that fit it.</param>
/// <param name="LargestTransformer">The Transformer with the most that fit it.</param>
public sealed record PaperComparison(Measurement RetNet, Measurement Transformer, Measurement LargestRetNet, Measurement LargestTransformer)
{
    /// <summary>The paper's throughput ratio, of 7B at 8k tokens (arXiv 2307.08621, abstract).</summary>
    public const double PaperThroughput = 8.4;

    /// <summary>The paper's share of the Transformer's memory, likewise.</summary>
    public const double PaperMemory = 0.3;

    /// <summary>How many times the Transformer's tokens a second, with as many sequences.</summary>
    public double Throughput => RetNet.TokensPerSecond.Median / Transformer.TokensPerSecond.Median;

    /// <summary>Share of the Transformer's memory, with as many sequences.</summary>
    public double Memory => (double)RetNet.AllocatedBytes / Transformer.AllocatedBytes;

    /// <summary>How many times the Transformer's tokens a second, each with the most sequences that fit.</summary>
    public double LargestThroughput => LargestRetNet.TokensPerSecond.Median / LargestTransformer.TokensPerSecond.Median;

    /// <summary>One for each shape and type that has a batch in common.</summary>
    public static IReadOnlyList<PaperComparison> Of(BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return [.. report.Measurements.Where(measurement => measurement.Depth == report.Paper?.BatchContext).GroupBy(measurement => (measurement.Model, measurement.Type)).Select(Of).OfType<PaperComparison>()];
    }

    private static PaperComparison? Of(IEnumerable<Measurement> measurements)
    {
        var byBatch = measurements.OrderBy(measurement => measurement.Batch).ToLookup(measurement => measurement.Architecture);
        var (retnet, transformer) = (byBatch[Architecture.RetNet].ToArray(), byBatch[Architecture.Transformer].ToArray());
        return retnet.LastOrDefault(measurement => transformer.Any(other => other.Batch == measurement.Batch)) is { } common
            ? new(common, transformer.Last(other => other.Batch == common.Batch), retnet[^1], transformer[^1])
            : null;
    }
}
