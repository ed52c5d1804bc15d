using System.Numerics;
using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// The upper half of a binary32, rounded to nearest even; a NaN becomes quiet and keeps its sign
/// (ggml-impl.h, <c>ggml_compute_fp32_to_bf16</c>).
/// </summary>
internal static class BF16
{
    private const uint AbsoluteMask = 0x7FFF_FFFF;
    private const uint Infinity = 0x7F80_0000;
    private const uint QuietBit = 0x40;

    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(source);
        Span<ushort> rounded = MemoryMarshal.Cast<byte, ushort>(destination);
        int width = Vector<uint>.Count;
        int i = 0;
        for (; i <= bits.Length - 2 * width; i += 2 * width)
            Vector.Narrow(Round(new Vector<uint>(bits[i..])), Round(new Vector<uint>(bits[(i + width)..]))).CopyTo(rounded[i..]);
        for (; i < bits.Length; i++)
            rounded[i] = Round(bits[i]);
    }

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination)
    {
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(source);
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        int width = Vector<uint>.Count;
        int i = 0;
        for (; i <= bits.Length - 2 * width; i += 2 * width)
        {
            Vector.Widen(new Vector<ushort>(halves[i..]), out Vector<uint> low, out Vector<uint> high);
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + width)..]);
        }

        for (; i < bits.Length; i++)
            bits[i] = (uint)halves[i] << 16;
    }

    private static ushort Round(uint bits) => (bits & AbsoluteMask) > Infinity
        ? (ushort)((bits >> 16) | QuietBit)
        : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);

    private static Vector<uint> Round(Vector<uint> bits)
    {
        Vector<uint> upper = bits >> 16;
        Vector<uint> rounded = (bits + new Vector<uint>(0x7FFF) + (upper & Vector<uint>.One)) >> 16;
        Vector<uint> isNan = Vector.GreaterThan(bits & new Vector<uint>(AbsoluteMask), new Vector<uint>(Infinity));
        return Vector.ConditionalSelect(isNan, upper | new Vector<uint>(QuietBit), rounded);
    }
}
