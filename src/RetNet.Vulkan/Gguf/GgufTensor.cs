namespace RetNet.Vulkan.Gguf;

/// <summary>Where a tensor lies in a <see cref="GgufFile"/> and how it is laid out.</summary>
public sealed class GgufTensor
{
    internal GgufTensor(string name, IReadOnlyList<long> dimensions, BlockType type, long offset)
    {
        (Name, Dimensions, Type, Offset) = (name, dimensions, type, offset);
        Rows = 1;
        for (int i = 1; i < dimensions.Count; i++)
            Rows = checked(Rows * dimensions[i]);
        RowBytes = type.RowBytes(RowLength);
        Elements = checked(RowLength * Rows);
        Bytes = checked(RowBytes * Rows);
    }

    /// <summary>Name, such as <c>blk.0.attn_q.weight</c>.</summary>
    public string Name { get; }

    /// <summary>One to four dimensions in ggml's order: the first is the row length, contiguous in memory.</summary>
    public IReadOnlyList<long> Dimensions { get; }

    /// <summary>Block layout of every row.</summary>
    public BlockType Type { get; }

    /// <summary>Bytes from the start of the file to the first row.</summary>
    public long Offset { get; }

    /// <summary>Elements in a row.</summary>
    public long RowLength => Dimensions[0];

    /// <summary>Number of rows, the product of all dimensions but the first.</summary>
    public long Rows { get; }

    /// <summary>Number of elements.</summary>
    public long Elements { get; }

    /// <summary>Bytes of one row.</summary>
    public long RowBytes { get; }

    /// <summary>Bytes of the tensor; rows follow each other without gaps.</summary>
    public long Bytes { get; }

    /// <summary>Dimensions for messages, such as <c>[384, 4096]</c>.</summary>
    public string Shape => FormatShape(Dimensions);

    /// <summary>Writes <paramref name="dimensions"/> as <see cref="Shape"/> does.</summary>
    public static string FormatShape(IEnumerable<long> dimensions) => $"[{string.Join(", ", dimensions)}]";
}
