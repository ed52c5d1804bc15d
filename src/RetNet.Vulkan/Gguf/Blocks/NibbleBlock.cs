using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// 32 four-bit codes and their scale: a binary16, then 16 bytes of which byte j holds the code of element j in its low
/// and of element j + 16 in its high nibble.
/// </summary>
internal static class NibbleBlock
{
    public const int Length = BlockValues.Length;
    public const int Bytes = sizeof(ushort) + Length / 2;

    public static void Write(Span<byte> block, float scale, Vector256<sbyte> codes)
    {
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        Vector128<byte> nibbles = codes.GetLower().AsByte() | (codes.GetUpper().AsByte() << 4);
        nibbles.CopyTo(block[sizeof(ushort)..]);
    }

    /// <summary>Scale times what <paramref name="values"/> has for each code.</summary>
    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination, Vector128<sbyte> values)
    {
        for (; !source.IsEmpty; source = source[Bytes..], destination = destination[Length..])
        {
            float scale = (float)BinaryPrimitives.ReadHalfLittleEndian(source);
            Vector128<sbyte> nibbles = Vector128.Create(source.Slice(sizeof(ushort), Length / 2)).AsSByte();
            Scale(Vector128.Shuffle(values, nibbles & Vector128.Create((sbyte)15)), scale, destination);
            Scale(Vector128.Shuffle(values, nibbles >>> 4 & Vector128.Create((sbyte)15)), scale, destination[(Length / 2)..]);
        }
    }

    private static void Scale(Vector128<sbyte> values, float scale, Span<float> destination)
    {
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(values);
        (Vector256.ConvertToSingle(Widen(low)) * scale).CopyTo(destination);
        (Vector256.ConvertToSingle(Widen(high)) * scale).CopyTo(destination[Vector256<float>.Count..]);
    }

    private static Vector256<int> Widen(Vector128<short> x) =>
        Vector256.Create(Vector128.WidenLower(x), Vector128.WidenUpper(x));
}
