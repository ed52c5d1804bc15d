using System.Diagnostics.CodeAnalysis;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// A GGUF model file, versions 2 and 3, little-endian (ggml docs/gguf.md): metadata and tensor descriptions in memory,
/// tensor data mapped. Reading is safe from several threads until <see cref="Dispose"/>.
/// </summary>
public sealed unsafe partial class GgufFile : IDisposable
{
    private readonly MappedFile _bytes;
    private readonly OrderedDictionary<string, object> _metadata = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, GgufTensor> _tensors = new(StringComparer.Ordinal);

    private GgufFile(string path, MappedFile bytes)
    {
        Path = path;
        _bytes = bytes;
        ReadHeader(new GgufReader(path, bytes));
    }

    /// <summary>The path it was opened by.</summary>
    public string Path { get; }

    /// <summary>Version of the format, 2 or 3.</summary>
    public int Version { get; private set; }

    /// <summary>Alignment of tensor offsets in bytes.</summary>
    public int Alignment { get; private set; } = GgufFormat.DefaultAlignment;

    /// <summary>Size of the file in bytes.</summary>
    public long Length => _bytes.Length;

    /// <summary>
    /// Metadata in the file's order. A value is a boxed scalar, a <see cref="string"/>, or an array: <c>float[]</c>,
    /// <c>string[]</c>, … or <c>Array[]</c> for nested arrays.
    /// </summary>
    public IReadOnlyDictionary<string, object> Metadata => _metadata;

    /// <summary>Tensors by name, in the file's order.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>Maps <paramref name="path"/> and reads everything but tensor data.</summary>
    /// <exception cref="GgufException">The file is missing, no GGUF, damaged, truncated, or holds a type that is not read.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile bytes = Map(path);
        try
        {
            return new GgufFile(path, bytes);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="GgufException">There is none.</exception>
    public GgufTensor GetTensor(string name) =>
        _tensors.TryGetValue(name, out GgufTensor? tensor) ? tensor : throw new GgufException(Path, $"has no tensor '{name}'");

    /// <summary>The tensor called <paramref name="name"/>, if there is one.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out GgufTensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>
    /// The first byte of <paramref name="tensor"/>; <see cref="GgufTensor.Bytes"/> follow. Valid until <see cref="Dispose"/>.
    /// </summary>
    public byte* Pointer(GgufTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_bytes.Pointer == null, this);
        return _bytes.Pointer + tensor.Offset;
    }

    /// <summary>The encoded bytes of one row. Valid until <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Row(GgufTensor tensor, long row) => Rows(tensor, row, 1);

    /// <summary>The encoded bytes of <paramref name="count"/> rows, at most 2 GiB together. Valid until <see cref="Dispose"/>.</summary>
    public ReadOnlySpan<byte> Rows(GgufTensor tensor, long first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, tensor.Rows - count);
        return _bytes.Span(tensor.Offset + first * tensor.RowBytes, checked((int)(count * tensor.RowBytes)));
    }

    /// <summary>Unmaps the file; spans and pointers into it die.</summary>
    public void Dispose() => _bytes.Dispose();

    private static MappedFile Map(string path)
    {
        if (Directory.Exists(path))
            throw new GgufException(path, "is a directory; name the .gguf file inside it, or convert a checkpoint folder with 'retnet convert'");
        if (!File.Exists(path))
            throw new GgufException(path, "no such file");
        try
        {
            return new MappedFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GgufException(path, $"cannot be read: {e.Message}", e);
        }
    }
}
