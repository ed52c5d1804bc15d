using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>binary16, little-endian, rounded to nearest even.</summary>
internal static class F16
{
    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination) =>
        TensorPrimitives.ConvertToHalf(source, MemoryMarshal.Cast<byte, Half>(destination));

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination) =>
        TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), destination);
}
