namespace RetNet.Bench;

/// <summary>What the device reaches in the same run where nothing else is done: what measurements are compared with.</summary>
/// <param name="CopyBytesPerSecond">Bytes read and written a second by a plain copy within the device's memory, the faster of a kernel's and the driver's.</param>
/// <param name="CopyBy">Which of the two it was.</param>
/// <param name="ProductFlopsPerSecond">Floating-point operations a second of a product of f16 weights and many tokens by the kernels that prefill uses.</param>
/// <param name="ProductShape">Its shape, for people.</param>
public sealed record DeviceLimits(double CopyBytesPerSecond, string CopyBy, double ProductFlopsPerSecond, string ProductShape);
