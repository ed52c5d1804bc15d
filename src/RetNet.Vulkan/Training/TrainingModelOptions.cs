using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Training;

/// <summary>What a <see cref="TrainingModel"/> takes at once, what of it is trained, and how.</summary>
public sealed record TrainingModelOptions
{
    /// <summary>Sequences and tokens of a pass, the form of retention, the precision of products.</summary>
    public required TrainingStepOptions Step { get; init; }

    /// <summary>Makes what changes the weights: an <see cref="AdamW"/> or an <see cref="Sgd"/> of the parameters.</summary>
    public required Func<GpuDevice, ParameterSet, Optimizer> Optimizer { get; init; }

    /// <summary>Adapters that are trained instead of the weights; null trains the weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>What random values follow from.</summary>
    public ulong Seed { get; init; } = 1;
}
