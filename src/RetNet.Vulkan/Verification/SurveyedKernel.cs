using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>A kernel variant as a driver compiled it.</summary>
/// <param name="Variant">Its name in shaders/variants.props.</param>
/// <param name="Use">What it was specialized for.</param>
/// <param name="IsChosen">Whether the device runs it, or another of its family.</param>
/// <param name="Statistics">The driver's.</param>
/// <param name="Problem">Why there are none; null where there are.</param>
public sealed record SurveyedKernel(string Variant, string Use, bool IsChosen, IReadOnlyList<KernelStatistic> Statistics, string? Problem);
