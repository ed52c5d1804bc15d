using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>How much of a file is of one type.</summary>
/// <param name="Type">The type.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record TypeTotal(BlockType Type, int Tensors, long Bytes);
