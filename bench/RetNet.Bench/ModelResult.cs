using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>A model that was measured, and what it took to start it.</summary>
public sealed record ModelResult
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>Type of its matrices; of most weights, where a file has several.</summary>
    public required string Type { get; init; }

    /// <summary>The file; null for random weights.</summary>
    public required string? File { get; init; }

    /// <summary>Its settings.</summary>
    public required RetNetConfig Config { get; init; }

    /// <summary>Values of its matrices.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of its weights on the device.</summary>
    public required ulong WeightBytes { get; init; }

    /// <summary>Seconds until the weights were on the device.</summary>
    public required double LoadSeconds { get; init; }

    /// <summary>Seconds from then to the first token: kernels are compiled, memory is taken, one token is decoded.</summary>
    public required double FirstTokenSeconds { get; init; }

    /// <summary>The same once more, with the kernels in the pipeline cache.</summary>
    public required double SecondStartSeconds { get; init; }

    /// <summary>What else is to be known, such as matrices of another type.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
