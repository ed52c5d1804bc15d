namespace RetNet.Vulkan.Verification;

/// <summary>What steps a <see cref="TrainingCheck"/> takes: by default those of the frameworks' <c>reference.safetensors</c>.</summary>
public sealed record TrainingCheckOptions
{
    /// <summary>Steps of AdamW.</summary>
    public int Steps { get; init; } = 3;

    /// <summary>Tokens of a chunk in the chunkwise form.</summary>
    public int ChunkLength { get; init; } = 16;

    /// <summary>Whether the parallel form divides by torchscale's clamped sum of scores.</summary>
    public bool TorchscaleClamp { get; init; }

    /// <summary>AdamW's learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay rate of AdamW's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of AdamW's second moment.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>AdamW's ε.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>AdamW's weight decay, of all tensors.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>How long finite differences may take; at least one weight is sampled.</summary>
    public TimeSpan DifferencesTime { get; init; } = TimeSpan.FromSeconds(20);
}
