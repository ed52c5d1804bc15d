namespace RetNet.Vulkan.Reference;

/// <summary>Receives an intermediate value of a pass.</summary>
/// <param name="stage">What the values are, and their shape.</param>
/// <param name="layer">Layer from 0, or −1 outside the layers.</param>
/// <param name="values">The values, row-major; valid during the call.</param>
public delegate void ReferenceObserver(ReferenceStage stage, int layer, ReadOnlySpan<double> values);
