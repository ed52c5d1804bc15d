namespace RetNet.Vulkan.Model;

/// <summary>A norm's parameters on the device, as shaders/norm/norm.comp reads them.</summary>
/// <param name="Weight">Device address of the weight, f32, padded with zeros to a multiple of 64.</param>
/// <param name="Bias">Device address of the bias, likewise; zeros where there is none.</param>
/// <param name="SubtractMean">True for LayerNorm, false for RMSNorm.</param>
public readonly record struct DeviceNorm(ulong Weight, ulong Bias, bool SubtractMean);
