using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;

namespace RetNet.Bench;

/// <summary>What is measured: every combination of the lists.</summary>
public sealed record BenchOptions
{
    /// <summary>Types of the matrices, for models by shape.</summary>
    public IReadOnlyList<GgmlType> Types { get; init; } = [GgmlType.F16];

    /// <summary>Sequences at once.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1];

    /// <summary>Lengths of prompts, for prefill; none measures none.</summary>
    public IReadOnlyList<int> Prompts { get; init; } = [512];

    /// <summary>Tokens taken in before decoding begins; none measures no decoding.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [0];

    /// <summary>Tokens that a sequence decodes in a run.</summary>
    public int Tokens { get; init; } = 128;

    /// <summary>Measured runs, after one that is not.</summary>
    public int Runs { get; init; } = 5;

    /// <summary>How the device keeps states.</summary>
    public StateType StateType { get; init; }

    /// <summary>Whether one more run of each is timed kernel by kernel.</summary>
    public bool Profile { get; init; }
}
