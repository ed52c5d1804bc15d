namespace RetNet.Bench.Plots;

/// <summary>Lines over the same axes.</summary>
/// <param name="Title">What is shown.</param>
/// <param name="XLabel">What x is.</param>
/// <param name="YLabel">What y is, with its unit.</param>
/// <param name="Series">The lines.</param>
public sealed record Chart(string Title, string XLabel, string YLabel, IReadOnlyList<Series> Series)
{
    /// <summary>Whether both axes are to scale and begin where the values do: curves of many points, drawn without marks.</summary>
    public bool ToScale { get; init; }
}
