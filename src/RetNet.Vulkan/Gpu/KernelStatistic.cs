namespace RetNet.Vulkan.Gpu;

/// <summary>Something that a driver tells about a compiled kernel.</summary>
/// <param name="Name">The driver's word for it: <c>VGPRs</c>, <c>Register Count</c>.</param>
/// <param name="Value">The number.</param>
public readonly record struct KernelStatistic(string Name, double Value);
