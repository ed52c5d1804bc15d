namespace RetNet.Vulkan.Gpu;

/// <summary>A subgroup size that a kernel is compiled for, instead of the driver's choice.</summary>
/// <param name="Lanes">One of <see cref="DeviceCapabilities.SubgroupSizeControl"/>.</param>
public readonly record struct RequiredSubgroupSize(uint Lanes);
