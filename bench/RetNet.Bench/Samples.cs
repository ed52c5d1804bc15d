namespace RetNet.Bench;

/// <summary>Rates of several runs.</summary>
/// <param name="Values">One a run, in their order; at least one.</param>
public sealed record Samples(IReadOnlyList<double> Values)
{
    /// <summary>The middle one, or the mean of the two in the middle.</summary>
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }

    /// <summary>The slowest run.</summary>
    public double Min => Values.Min();

    /// <summary>The fastest run.</summary>
    public double Max => Values.Max();
}
