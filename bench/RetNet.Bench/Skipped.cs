namespace RetNet.Bench;

/// <summary>Something that was not measured.</summary>
/// <param name="What">What.</param>
/// <param name="Reason">Why, in a line.</param>
public sealed record Skipped(string What, string Reason);
