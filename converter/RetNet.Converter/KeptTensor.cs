using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>A matrix that is in another type than the one asked for.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Reason">Why.</param>
public sealed record KeptTensor(string Tensor, BlockType Type, string Reason);
