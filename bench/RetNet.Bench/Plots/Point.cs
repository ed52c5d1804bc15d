namespace RetNet.Bench.Plots;

/// <summary>A measured point.</summary>
/// <param name="X">Where.</param>
/// <param name="Y">The median.</param>
/// <param name="Low">The smallest value there.</param>
/// <param name="High">The largest value there.</param>
public readonly record struct Point(double X, double Y, double Low, double High);
