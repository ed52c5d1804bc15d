using RetNet.Vulkan.Gguf.Blocks;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// How a <see cref="GgmlType"/> lays out a row: blocks of <see cref="Length"/> elements in <see cref="Bytes"/> bytes.
/// Both directions equal ggml's reference functions (ggml-quants.c, <c>quantize_row_*_ref</c>, for iq4_nl
/// <c>quantize_iq4_nl</c>, and <c>dequantize_row_*</c>) bit for bit on finite input.
/// </summary>
public sealed class BlockType
{
    private static readonly BlockType[] Known =
    [
        new(GgmlType.F32, "f32", 1, 4),
        new(GgmlType.F16, "f16", 1, 2),
        new(GgmlType.BF16, "bf16", 1, 2),
        new(GgmlType.Q8_0, "q8_0", Q8_0.Length, Q8_0.Bytes),
        new(GgmlType.Q4_0, "q4_0", NibbleBlock.Length, NibbleBlock.Bytes),
        new(GgmlType.IQ4_NL, "iq4_nl", NibbleBlock.Length, NibbleBlock.Bytes),
    ];

    private BlockType(GgmlType type, string name, int length, int bytes) =>
        (Type, Name, Length, Bytes) = (type, name, length, bytes);

    /// <summary>Every type that can be read and written.</summary>
    public static IReadOnlyList<BlockType> All => Known;

    /// <summary>The type's number in a file.</summary>
    public GgmlType Type { get; }

    /// <summary>ggml's name in lower case, such as <c>q8_0</c>.</summary>
    public string Name { get; }

    /// <summary>Elements in a block; 1 for types that are not quantised.</summary>
    public int Length { get; }

    /// <summary>Bytes in a block.</summary>
    public int Bytes { get; }

    /// <summary>Whether elements share a scale.</summary>
    public bool IsQuantized => Length > 1;

    /// <summary>The layout of <paramref name="type"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="All"/>.</exception>
    public static BlockType Of(GgmlType type) =>
        Find(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that this library reads");

    /// <summary>The layout of <paramref name="type"/>, or null when this library does not read it.</summary>
    public static BlockType? Find(GgmlType type) => Array.Find(Known, known => known.Type == type);

    /// <summary>The layout called <paramref name="name"/> in any case, or null.</summary>
    public static BlockType? Find(string name) =>
        Array.Find(Known, known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Bytes of a row of <paramref name="elements"/>.</summary>
    /// <exception cref="ArgumentException">The row is no whole number of blocks.</exception>
    /// <exception cref="OverflowException">The size exceeds 2⁶³ − 1 bytes.</exception>
    public long RowBytes(long elements)
    {
        if (elements < 0 || elements % Length != 0)
            throw new ArgumentException($"a row of {elements} is no whole number of {Name} blocks of {Length}", nameof(elements));
        return checked(elements / Length * Bytes);
    }

    /// <summary>Encodes <paramref name="source"/>, a whole number of blocks, rounding as ggml does.</summary>
    /// <param name="source">Finite values.</param>
    /// <param name="destination">Exactly <see cref="RowBytes"/> bytes.</param>
    public void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        RequireSize(source.Length, destination.Length);
        switch (Type)
        {
            case GgmlType.F32: F32.Quantize(source, destination); break;
            case GgmlType.F16: F16.Quantize(source, destination); break;
            case GgmlType.BF16: BF16.Quantize(source, destination); break;
            case GgmlType.Q8_0: Q8_0.Quantize(source, destination); break;
            case GgmlType.Q4_0: Q4_0.Quantize(source, destination); break;
            case GgmlType.IQ4_NL: IQ4_NL.Quantize(source, destination); break;
        }
    }

    /// <summary>Decodes <paramref name="source"/>, a whole number of blocks.</summary>
    /// <param name="source">Exactly <see cref="RowBytes"/> bytes.</param>
    /// <param name="destination">The values.</param>
    public void Dequantize(ReadOnlySpan<byte> source, Span<float> destination)
    {
        RequireSize(destination.Length, source.Length);
        switch (Type)
        {
            case GgmlType.F32: F32.Dequantize(source, destination); break;
            case GgmlType.F16: F16.Dequantize(source, destination); break;
            case GgmlType.BF16: BF16.Dequantize(source, destination); break;
            case GgmlType.Q8_0: Q8_0.Dequantize(source, destination); break;
            case GgmlType.Q4_0: Q4_0.Dequantize(source, destination); break;
            case GgmlType.IQ4_NL: IQ4_NL.Dequantize(source, destination); break;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private void RequireSize(int elements, int bytes)
    {
        if (RowBytes(elements) != bytes)
            throw new ArgumentException($"{elements} {Name} elements take {RowBytes(elements)} bytes, not {bytes}");
    }
}
