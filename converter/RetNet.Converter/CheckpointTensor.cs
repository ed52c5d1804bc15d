using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>A contiguous tensor in a mapped checkpoint file. Readable until that file is disposed, from several threads.</summary>
public sealed class CheckpointTensor
{
    private readonly MappedFile _file;
    private readonly long _offset;

    internal CheckpointTensor(string path, string name, string dataType, IReadOnlyList<long> shape, MappedFile file, long offset, long bytes)
    {
        (Path, Name, DataType, Shape, Bytes) = (path, name, dataType, shape, bytes);
        (_file, _offset) = (file, offset);
    }

    /// <summary>The file that holds it.</summary>
    public string Path { get; }

    /// <summary>Its name in that file.</summary>
    public string Name { get; }

    /// <summary>The container's name of the element type, such as <c>BF16</c>.</summary>
    public string DataType { get; }

    /// <summary>Dimensions in PyTorch's order, rows first: [out, in] of a projection.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The element type when it is one that can be converted (F32, F16, BF16), else null.</summary>
    public BlockType? Type => DataType is "F32" or "F16" or "BF16" ? BlockType.Find(DataType) : null;

    /// <summary>Bytes as stored, little-endian.</summary>
    public ReadOnlySpan<byte> Span(long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Bytes - count);
        return _file.Span(_offset + start, count);
    }

    /// <summary>Decodes elements from <paramref name="first"/> on, as many as <paramref name="destination"/> holds.</summary>
    /// <exception cref="ConverterException">The elements are of no type that can be converted.</exception>
    public void Read(long first, Span<float> destination)
    {
        BlockType type = RequireType();
        type.Dequantize(Span(first * type.Bytes, checked(destination.Length * type.Bytes)), destination);
    }

    internal BlockType RequireType() => Type ?? throw new ConverterException(
        Path, $"tensor '{Name}' holds {DataType}; weights can be read from F32, F16 and BF16, save the checkpoint in one of them");
}
