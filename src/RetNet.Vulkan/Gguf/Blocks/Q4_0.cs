using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// A <see cref="NibbleBlock"/> of d · (q − 8): d = m / −8, where m is the first value of the largest magnitude, so that
/// m itself is q = 0 (ggml-quants.c, <c>quantize_row_q4_0_ref</c>).
/// </summary>
internal static class Q4_0
{
    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (; !source.IsEmpty; source = source[NibbleBlock.Length..], destination = destination[NibbleBlock.Bytes..])
        {
            BlockValues values = BlockValues.Load(source);
            float d = values.Extreme(source) / -8;
            float inverse = d != 0 ? 1 / d : 0;
            NibbleBlock.Write(destination, d, Vector256.Min(values.ScaleAndTruncate(inverse, 8.5f), Vector256.Create((sbyte)15)));
        }
    }

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination) =>
        NibbleBlock.Dequantize(source, destination, Vector128<sbyte>.Indices - Vector128.Create((sbyte)8));
}
