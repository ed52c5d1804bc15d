using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>binary32, little-endian.</summary>
internal static class F32
{
    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination) =>
        MemoryMarshal.AsBytes(source).CopyTo(destination);

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination) =>
        source.CopyTo(MemoryMarshal.AsBytes(destination));
}
