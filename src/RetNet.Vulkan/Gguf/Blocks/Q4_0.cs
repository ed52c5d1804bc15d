using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// 32 values as d · (q − 8): a binary16 d = m / −8, where m is the first value of the largest magnitude, so that m
/// itself is q = 0, then 16 bytes: byte j holds q of element j in its low and of element j + 16 in its high nibble
/// (ggml-quants.c, <c>quantize_row_q4_0_ref</c>).
/// </summary>
internal static class Q4_0
{
    public const int Length = BlockValues.Length;
    public const int Bytes = sizeof(ushort) + Length / 2;

    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (; !source.IsEmpty; source = source[Length..], destination = destination[Bytes..])
        {
            BlockValues values = BlockValues.Load(source);
            float d = FirstOfMagnitude(source, values.MaxMagnitude()) / -8;
            float inverse = d != 0 ? 1 / d : 0;
            BinaryPrimitives.WriteHalfLittleEndian(destination, (Half)d);
            Vector256<sbyte> q = Vector256.Min(values.ScaleAndTruncate(inverse, 8.5f), Vector256.Create((sbyte)15));
            Vector128<byte> nibbles = q.GetLower().AsByte() | (q.GetUpper().AsByte() << 4);
            nibbles.CopyTo(destination[sizeof(ushort)..]);
        }
    }

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; !source.IsEmpty; source = source[Bytes..], destination = destination[Length..])
        {
            float d = (float)BinaryPrimitives.ReadHalfLittleEndian(source);
            Vector128<byte> nibbles = Vector128.Create(source.Slice(sizeof(ushort), Length / 2));
            Scale(nibbles & Vector128.Create((byte)15), d, destination);
            Scale(nibbles >> 4, d, destination[(Length / 2)..]);
        }
    }

    private static void Scale(Vector128<byte> q, float d, Span<float> destination)
    {
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(q.AsSByte() - Vector128.Create((sbyte)8));
        (Vector256.ConvertToSingle(Widen(low)) * d).CopyTo(destination);
        (Vector256.ConvertToSingle(Widen(high)) * d).CopyTo(destination[8..]);
    }

    private static Vector256<int> Widen(Vector128<short> x) =>
        Vector256.Create(Vector128.WidenLower(x), Vector128.WidenUpper(x));

    private static float FirstOfMagnitude(ReadOnlySpan<float> block, float magnitude)
    {
        if (magnitude == 0)
            return 0; // ggml starts from +0 and −0 does not exceed it: d is −0 either way.
        int i = 0;
        while (i < Length - 1 && MathF.Abs(block[i]) != magnitude)
            i++;
        return block[i];
    }
}
