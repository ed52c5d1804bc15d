using RetNet.Vulkan.Gpu;

namespace RetNet.Bench;

/// <summary>All that a run of the bench found.</summary>
public sealed record BenchReport
{
    /// <summary>Program and version.</summary>
    public required string Program { get; init; }

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The device.</summary>
    public required PhysicalGpu Device { get; init; }

    /// <summary>What the device reaches at most.</summary>
    public required DeviceLimits Limits { get; init; }

    /// <summary>The sweep of the paper's figure; null where another one was measured.</summary>
    public PaperSweep? Paper { get; init; }

    /// <summary>The models, in the order in which they were measured.</summary>
    public required IReadOnlyList<ModelResult> Models { get; init; }

    /// <summary>The measurements, likewise.</summary>
    public required IReadOnlyList<Measurement> Measurements { get; init; }

    /// <summary>What was asked for and not measured.</summary>
    public required IReadOnlyList<Skipped> Skipped { get; init; }
}
