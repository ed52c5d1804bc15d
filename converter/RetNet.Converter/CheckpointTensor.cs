using System.Numerics;
using System.Runtime.InteropServices;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>
/// A tensor in a mapped checkpoint file, or a view of one: its elements may lie apart there (<see cref="TensorLayout"/>).
/// Readable until that file is disposed, from several threads.
/// </summary>
public sealed class CheckpointTensor
{
    private readonly MappedFile _file;
    private readonly long _offset;
    private readonly int _elementBytes;
    private readonly TensorLayout _layout;

    /// <summary>A tensor whose elements lie <paramref name="layout"/>-wise from the byte <paramref name="offset"/> on, all of them inside the file.</summary>
    internal CheckpointTensor(
        string path, string name, string dataType, int elementBytes, IReadOnlyList<long> shape, MappedFile file, long offset, TensorLayout? layout = null)
    {
        (Path, Name, DataType, Shape) = (path, name, dataType, shape);
        (_file, _offset, _elementBytes, _layout) = (file, offset, elementBytes, layout ?? TensorLayout.Contiguous(shape));
    }

    private CheckpointTensor(CheckpointTensor source, IReadOnlyList<long> shape, TensorLayout layout)
        : this(source.Path, source.Name, source.DataType, source._elementBytes, shape, source._file, source._offset, layout)
    {
    }

    /// <summary>The file that holds it.</summary>
    public string Path { get; }

    /// <summary>Its name in that file.</summary>
    public string Name { get; }

    /// <summary>The element type by safetensors' name, such as <c>BF16</c>.</summary>
    public string DataType { get; }

    /// <summary>Dimensions in PyTorch's order, rows first: [out, in] of a projection.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Size of its elements in bytes.</summary>
    public long Bytes => _layout.Elements * _elementBytes;

    /// <summary>The element type when it is one that can be converted (F32, F16, BF16), else null.</summary>
    public BlockType? Type => DataType is "F32" or "F16" or "BF16" ? BlockType.Find(DataType) : null;

    /// <summary>Bytes as stored, little-endian.</summary>
    /// <exception cref="InvalidOperationException">The elements lie apart.</exception>
    public ReadOnlySpan<byte> Span(long start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Bytes - count);
        if (!_layout.IsContiguous)
            throw new InvalidOperationException($"the elements of '{Name}' lie apart");
        return _file.Span(_offset + _layout.Start * _elementBytes + start, count);
    }

    /// <summary>Decodes elements from <paramref name="first"/> on, as many as <paramref name="destination"/> holds.</summary>
    /// <exception cref="ConverterException">The elements are of no type that can be converted.</exception>
    public void Read(long first, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, _layout.Elements - destination.Length);
        BlockType type = RequireType();
        while (destination.Length > 0)
        {
            (long position, long run) = _layout.Locate(first);
            int count = (int)Math.Min(run, destination.Length);
            type.Dequantize(_file.Span(_offset + position * type.Bytes, checked(count * type.Bytes)), destination[..count]);
            first += count;
            destination = destination[count..];
        }
    }

    /// <summary>All elements of an integer tensor.</summary>
    /// <exception cref="ConverterException">The elements are no integers, or lie apart.</exception>
    public long[] ReadIntegers()
    {
        if (!_layout.IsContiguous || _layout.Elements > Array.MaxLength)
            throw new ConverterException(Path, $"the elements of '{Name}' lie apart or are too many; save tensor.contiguous()");
        return DataType switch
        {
            "U8" => Integers<byte>(),
            "I8" => Integers<sbyte>(),
            "U16" => Integers<ushort>(),
            "I16" => Integers<short>(),
            "U32" => Integers<uint>(),
            "I32" => Integers<int>(),
            "I64" => Integers<long>(),
            _ => throw new ConverterException(Path, $"tensor '{Name}' holds {DataType}; integers of up to 64 bits are expected"),
        };
    }

    /// <summary>One of <paramref name="parts"/> equal parts of the rows; the whole tensor when they cannot be parted.</summary>
    internal CheckpointTensor RowPart(int part, int parts)
    {
        if (_layout.Elements == 0 || Shape.Count == 0 || Shape[0] % parts != 0)
            return this;
        long rows = Shape[0] / parts;
        return new(this, [rows, .. Shape.Skip(1)], _layout.Slice(Shape, part * rows, rows));
    }

    /// <summary>
    /// The rows of each head of <paramref name="headSize"/> in another order, (0, n/2, 1, n/2 + 1, …): rotary pairs
    /// (i, i + n/2) become (2i, 2i + 1). The tensor as it is when its rows are no whole heads.
    /// </summary>
    internal CheckpointTensor InterleaveHalves(int headSize)
    {
        if (_layout.Elements == 0 || Shape.Count == 0 || headSize % 2 != 0 || Shape[0] % headSize != 0)
            return this;
        long[] split = [Shape[0] / headSize, 2, headSize / 2, .. Shape.Skip(1)];
        return new(this, Shape, _layout.Transpose(split, 1, 2));
    }

    private long[] Integers<T>()
        where T : unmanaged, IBinaryInteger<T> =>
        [.. MemoryMarshal.Cast<byte, T>(Span(0, checked((int)Bytes))).ToArray().Select(long.CreateChecked)];

    internal BlockType RequireType() => Type ?? throw new ConverterException(
        Path, $"tensor '{Name}' holds {DataType}; weights can be read from F32, F16 and BF16, save the checkpoint in one of them");
}
