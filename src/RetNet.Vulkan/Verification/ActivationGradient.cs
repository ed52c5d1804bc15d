using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>Derivatives of the activations by central differences, which share nothing with the kernels' formulas.</summary>
internal static class ActivationGradient
{
    /// <summary>Small enough for the third derivative, large enough for rounding: about 1e-10 off.</summary>
    private const double Step = 1e-5;

    public static double Of(Activation activation, double x) => activation == Activation.Relu
        ? x > 0 ? 1 : 0
        : (Reference.Activations.Apply(activation, x + Step) - Reference.Activations.Apply(activation, x - Step)) / (2 * Step);
}
