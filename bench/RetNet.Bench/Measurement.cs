using RetNet.Vulkan.Execution;

namespace RetNet.Bench;

/// <summary>One line of a report.</summary>
public sealed record Measurement
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>What the model is.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>Type of its matrices, e.g. <c>q8_0</c>.</summary>
    public required string Type { get; init; }

    /// <summary>How states were kept.</summary>
    public required StateType StateType { get; init; }

    /// <summary>What was measured.</summary>
    public required MeasurementKind Kind { get; init; }

    /// <summary>Sequences at once.</summary>
    public required int Batch { get; init; }

    /// <summary>Decode: tokens taken in before; prefill: 0.</summary>
    public required int Depth { get; init; }

    /// <summary>Tokens a sequence: decoded, or of its prompt.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens a second of all sequences together.</summary>
    public required Samples TokensPerSecond { get; init; }

    /// <summary>Bytes that a token needs from memory at least (docs/benchmarks.md).</summary>
    public required double BytesPerToken { get; init; }

    /// <summary>Floating-point operations of a token, counted as in docs/benchmarks.md.</summary>
    public required double FlopsPerToken { get; init; }

    /// <summary>The most bytes of the device's memory that our buffers took, weights included.</summary>
    public required ulong AllocatedBytes { get; init; }

    /// <summary>Bytes that the driver says this process used; null where it does not tell.</summary>
    public required ulong? DriverBytes { get; init; }

    /// <summary>GPU time by kernel, longest first; nothing where that was not asked for.</summary>
    public IReadOnlyList<KernelTime> Kernels { get; init; } = [];

    /// <summary>Tokens that the profiled run took over all sequences; 0 where there was none.</summary>
    public long ProfiledTokens { get; init; }

    /// <summary>Bytes a second at the median.</summary>
    public double BytesPerSecond => BytesPerToken * TokensPerSecond.Median;

    /// <summary>Seconds from a sequence's token to its next one at the median; of decoding.</summary>
    public double SecondsPerToken => Batch / TokensPerSecond.Median;

    /// <summary>Floating-point operations a second at the median.</summary>
    public double FlopsPerSecond => FlopsPerToken * TokensPerSecond.Median;
}
