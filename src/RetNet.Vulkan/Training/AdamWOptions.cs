namespace RetNet.Vulkan.Training;

/// <summary>Settings of AdamW; the defaults are torch.optim.AdamW's, but without weight decay and clipping.</summary>
public sealed record AdamWOptions
{
    /// <summary>β₁, what the mean of gradients keeps a step.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂, what the mean of squared gradients keeps a step.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ε.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>λ: a step makes weights smaller by the learning rate times this, where <see cref="ParameterTensor.Decays"/>.</summary>
    public double WeightDecay { get; init; }

    /// <summary>The largest norm of all gradients together; longer ones are shortened to it. Null for any.</summary>
    public double? ClipNorm { get; init; }
}
