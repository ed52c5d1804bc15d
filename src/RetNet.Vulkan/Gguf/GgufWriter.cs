using System.Buffers.Binary;
using System.Text;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// Writes a GGUF file, version 3: first metadata (<see cref="Add(string, uint)"/>), then tensor descriptions
/// (<see cref="AddTensor"/>), then the data of the tensors in the same order, in pieces of any size
/// (<see cref="Write"/>), then <see cref="Complete"/>. Until then everything goes to a file beside the target, which
/// <see cref="Dispose"/> deletes, so a failed run leaves no half-written model. Not safe for several threads.
/// </summary>
public sealed partial class GgufWriter : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly string _partPath;
    private readonly FileStream _file;
    private readonly MemoryStream _entries = new();
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<GgufTensor> _tensors = [];
    private readonly HashSet<string> _tensorNames = new(StringComparer.Ordinal);
    private long _dataBytes;
    private bool _headerWritten;
    private int _currentTensor;
    private long _currentBytes;
    private bool _completed;

    private GgufWriter(string path)
    {
        _path = path;
        _partPath = path + ".part";
        _file = new FileStream(_partPath, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
    }

    /// <summary>Starts writing <paramref name="path"/>, which <see cref="Complete"/> will create or replace.</summary>
    /// <exception cref="GgufException">The folder is missing or cannot be written.</exception>
    public static GgufWriter Create(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is not { } folder || !Directory.Exists(folder))
            throw new GgufException(path, "cannot be written: its folder does not exist; create it first");
        if (Directory.Exists(path))
            throw new GgufException(path, "cannot be written: it is a directory; name a file");
        try
        {
            return new GgufWriter(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GgufException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Adds a uint32.</summary>
    public void Add(string key, uint value)
    {
        AddKey(key, GgufValueType.UInt32);
        WriteUInt32(_entries, value);
    }

    /// <summary>Adds a uint64.</summary>
    public void Add(string key, ulong value)
    {
        AddKey(key, GgufValueType.UInt64);
        WriteUInt64(_entries, value);
    }

    /// <summary>Adds a float32.</summary>
    public void Add(string key, float value)
    {
        AddKey(key, GgufValueType.Float32);
        WriteUInt32(_entries, BitConverter.SingleToUInt32Bits(value));
    }

    /// <summary>Adds a bool.</summary>
    public void Add(string key, bool value)
    {
        AddKey(key, GgufValueType.Bool);
        _entries.WriteByte(value ? (byte)1 : (byte)0);
    }

    /// <summary>Adds a string.</summary>
    public void Add(string key, string value)
    {
        AddKey(key, GgufValueType.String);
        WriteString(_entries, value);
    }

    /// <summary>Adds an array of float32.</summary>
    public void Add(string key, IReadOnlyCollection<float> values)
    {
        AddArray(key, GgufValueType.Float32, values.Count);
        foreach (float value in values)
            WriteUInt32(_entries, BitConverter.SingleToUInt32Bits(value));
    }

    /// <summary>Adds an array of int32.</summary>
    public void Add(string key, IReadOnlyCollection<int> values)
    {
        AddArray(key, GgufValueType.Int32, values.Count);
        foreach (int value in values)
            WriteUInt32(_entries, (uint)value);
    }

    /// <summary>Adds an array of strings.</summary>
    public void Add(string key, IReadOnlyCollection<string> values)
    {
        AddArray(key, GgufValueType.String, values.Count);
        foreach (string value in values)
            WriteString(_entries, value);
    }

    /// <summary>Describes the next tensor; its data follow in the same order.</summary>
    /// <param name="name">A name not used before.</param>
    /// <param name="type">Its block type.</param>
    /// <param name="dimensions">One to four, row length first.</param>
    /// <returns>The description; its offset counts from the start of the data section.</returns>
    public GgufTensor AddTensor(string name, BlockType type, params IReadOnlyList<long> dimensions)
    {
        RequireHeaderOpen();
        if (dimensions.Count is 0 or > GgufFormat.MostDimensions || dimensions.Any(n => n <= 0))
            throw new ArgumentException($"tensor '{name}' cannot have the shape {GgufTensor.FormatShape(dimensions)}", nameof(dimensions));
        if (!_tensorNames.Add(name))
            throw new ArgumentException($"tensor '{name}' is there already", nameof(name));
        var tensor = new GgufTensor(name, dimensions, type, _dataBytes);
        _tensors.Add(tensor);
        _dataBytes = GgufFormat.Align(_dataBytes + tensor.Bytes, GgufFormat.DefaultAlignment);
        return tensor;
    }

    /// <summary>Writes the next bytes of <paramref name="tensor"/>; the first call ends the header.</summary>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, or the bytes are more than it has left.</exception>
    /// <exception cref="GgufException">The disk is full or the write failed.</exception>
    public void Write(GgufTensor tensor, ReadOnlySpan<byte> bytes)
    {
        if (_currentTensor >= _tensors.Count || !ReferenceEquals(_tensors[_currentTensor], tensor))
            throw new InvalidOperationException($"it is not the turn of tensor '{tensor.Name}'");
        if (bytes.Length > tensor.Bytes - _currentBytes)
            throw new InvalidOperationException($"tensor '{tensor.Name}' takes {tensor.Bytes - _currentBytes} more bytes, not {bytes.Length}");
        try
        {
            WriteHeader();
            _file.Write(bytes);
            _currentBytes += bytes.Length;
            if (_currentBytes == tensor.Bytes)
                EndTensor();
        }
        catch (IOException e)
        {
            throw new GgufException(_path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Moves the finished file to its place.</summary>
    /// <exception cref="InvalidOperationException">Data of a tensor are missing.</exception>
    /// <exception cref="GgufException">The file cannot be written or moved.</exception>
    public void Complete()
    {
        if (_currentTensor < _tensors.Count)
            throw new InvalidOperationException($"tensor '{_tensors[_currentTensor].Name}' lacks {_tensors[_currentTensor].Bytes - _currentBytes} bytes");
        try
        {
            WriteHeader();
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            File.Move(_partPath, _path, overwrite: true);
            _completed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GgufException(_path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Closes the file; without <see cref="Complete"/>, deletes what was written.</summary>
    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException) when (!_completed)
        {
            // The buffer did not fit on the disk either; the file goes away all the same.
        }

        _entries.Dispose();
        if (!_completed)
            File.Delete(_partPath);
    }

    private void WriteHeader()
    {
        if (_headerWritten)
            return;
        _headerWritten = true;
        _file.Write(GgufFormat.Magic);
        WriteUInt32(_file, GgufFormat.Version);
        WriteUInt64(_file, (ulong)_tensors.Count);
        WriteUInt64(_file, (ulong)_keys.Count);
        _entries.WriteTo(_file);
        foreach (GgufTensor tensor in _tensors)
            WriteTensorInfo(tensor);
        Pad();
    }

    private void WriteTensorInfo(GgufTensor tensor)
    {
        WriteString(_file, tensor.Name);
        WriteUInt32(_file, (uint)tensor.Dimensions.Count);
        foreach (long dimension in tensor.Dimensions)
            WriteUInt64(_file, (ulong)dimension);
        WriteUInt32(_file, (uint)tensor.Type.Type);
        WriteUInt64(_file, (ulong)tensor.Offset);
    }

    private void EndTensor()
    {
        Pad();
        _currentTensor++;
        _currentBytes = 0;
    }

    private void Pad()
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[GgufFormat.DefaultAlignment];
        _file.Write(zeros[..(int)(GgufFormat.Align(_file.Position, GgufFormat.DefaultAlignment) - _file.Position)]);
    }

    private void AddArray(string key, GgufValueType type, int count)
    {
        AddKey(key, GgufValueType.Array);
        WriteUInt32(_entries, (uint)type);
        WriteUInt64(_entries, (ulong)count);
    }

    private void AddKey(string key, GgufValueType type)
    {
        RequireHeaderOpen();
        if (!_keys.Add(key))
            throw new ArgumentException($"metadata '{key}' is there already", nameof(key));
        WriteString(_entries, key);
        WriteUInt32(_entries, (uint)type);
    }

    private void RequireHeaderOpen()
    {
        if (_headerWritten)
            throw new InvalidOperationException("the header is written already");
    }

    private static void WriteString(Stream stream, string value)
    {
        byte[] utf8 = Utf8.GetBytes(value);
        WriteUInt64(stream, (ulong)utf8.Length);
        stream.Write(utf8);
    }

    private static void WriteUInt32(Stream stream, uint value)
    {
        Span<byte> buffer = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer, value);
        stream.Write(buffer);
    }

    private static void WriteUInt64(Stream stream, ulong value)
    {
        Span<byte> buffer = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, value);
        stream.Write(buffer);
    }
}
