namespace RetNet.Vulkan.Execution;

/// <summary>What the inputs of matrix products of many tokens are rounded to. Sums, the residual stream and states are f32 in either.</summary>
public enum ProductPrecision
{
    /// <summary>Not at all: activations and weights in f32. Runs everywhere.</summary>
    F32,

    /// <summary>
    /// Activations and weights in f16, which matrix units multiply (<see cref="Gpu.DeviceCapabilities.MatrixShapes"/>): some
    /// 10⁻³ of a logit. What f16 does not hold, beyond ±65504, becomes its largest.
    /// </summary>
    F16,
}
