namespace RetNet.Vulkan.Training;

/// <summary>What a training step keeps on the device besides parameters: arrays with a row a token.</summary>
internal enum StepArray
{
    /// <summary>The residual stream before each sub-layer and after the last, [d].</summary>
    Stream,

    /// <summary>q̂, k̂, v and g of a layer.</summary>
    Projections,

    /// <summary>Retention's output of a layer, [H · dv].</summary>
    HeadOutputs,

    /// <summary>What goes into a layer's unit, [F], or both branches of a gated one, [2F].</summary>
    Units,

    /// <summary>Σ|score| of a layer, [H]; with torchscale's clamp only.</summary>
    ScoreSums,

    /// <summary>The input of the sub-layer at hand, [d].</summary>
    Input,

    /// <summary>The gradient with respect to <see cref="Input"/>.</summary>
    InputGradient,

    /// <summary>The gradient with respect to the residual stream.</summary>
    StreamGradient,

    /// <summary>Retention's output behind head norm and gate; then the gradient with respect to retention's output.</summary>
    Gated,

    /// <summary>The gradient with respect to the output of head norm and gate.</summary>
    GatedGradient,

    /// <summary>Gradients with respect to <see cref="Projections"/>.</summary>
    ProjectionGradients,

    /// <summary>Gradients with respect to keys or values, a head each; with grouped heads only.</summary>
    HeadGradients,

    /// <summary>The unit's output, [F].</summary>
    Hidden,

    /// <summary>The gradient with respect to <see cref="Hidden"/>.</summary>
    HiddenGradient,

    /// <summary><see cref="Hidden"/> behind the norm inside the feed-forward network; with such a norm only.</summary>
    NormedHidden,

    /// <summary>The gradient with respect to <see cref="NormedHidden"/>.</summary>
    NormedHiddenGradient,

    /// <summary>What is between an adapter's factors, [r].</summary>
    AdapterInner,
}
