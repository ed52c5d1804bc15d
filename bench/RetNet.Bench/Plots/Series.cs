namespace RetNet.Bench.Plots;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Points">In any order.</param>
public sealed record Series(string Name, IReadOnlyList<Point> Points);
