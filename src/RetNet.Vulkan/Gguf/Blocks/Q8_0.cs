using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// 32 values as d · q: a binary16 d = max|x| / 127, then 32 signed bytes q = round(x / d)
/// (ggml-quants.c, <c>quantize_row_q8_0_ref</c>).
/// </summary>
internal static class Q8_0
{
    public const int Length = BlockValues.Length;
    public const int Bytes = sizeof(ushort) + Length;

    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (; !source.IsEmpty; source = source[Length..], destination = destination[Bytes..])
        {
            BlockValues values = BlockValues.Load(source);
            float d = values.MaxMagnitude() / 127;
            float inverse = d != 0 ? 1 / d : 0;
            BinaryPrimitives.WriteHalfLittleEndian(destination, (Half)d);
            values.ScaleAndRound(inverse).AsByte().CopyTo(destination[sizeof(ushort)..]);
        }
    }

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; !source.IsEmpty; source = source[Bytes..], destination = destination[Length..])
        {
            Vector256<float> d = Vector256.Create((float)BinaryPrimitives.ReadHalfLittleEndian(source));
            ReadOnlySpan<sbyte> q = MemoryMarshal.Cast<byte, sbyte>(source[sizeof(ushort)..Bytes]);
            for (int i = 0; i < Length; i += Vector256<float>.Count)
            {
                Vector128<short> wide = Vector128.WidenLower(Vector128.CreateScalar(MemoryMarshal.Read<long>(
                    MemoryMarshal.AsBytes(q[i..]))).AsSByte());
                Vector256<int> integers = Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide));
                (Vector256.ConvertToSingle(integers) * d).CopyTo(destination[i..]);
            }
        }
    }
}
