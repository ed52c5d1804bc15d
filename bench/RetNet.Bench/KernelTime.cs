namespace RetNet.Bench;

/// <summary>GPU time of a kernel in the profiled run.</summary>
/// <param name="Name">The kernel and what it was used for.</param>
/// <param name="Dispatches">How often it was dispatched.</param>
/// <param name="Seconds">All dispatches together.</param>
public sealed record KernelTime(string Name, long Dispatches, double Seconds);
