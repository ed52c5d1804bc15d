namespace RetNet.Vulkan.Training;

/// <summary>Settings of gradient descent, torch.optim.SGD's.</summary>
public sealed record SgdOptions
{
    /// <summary>μ, what the momentum keeps a step; 0 for none.</summary>
    public double Momentum { get; init; }

    /// <summary>λ: a gradient grows by the weight times this, where <see cref="ParameterTensor.Decays"/>.</summary>
    public double WeightDecay { get; init; }

    /// <summary>The largest norm of all gradients together; longer ones are shortened to it. Null for any.</summary>
    public double? ClipNorm { get; init; }
}
