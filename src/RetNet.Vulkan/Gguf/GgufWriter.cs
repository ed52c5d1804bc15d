using System.Buffers.Binary;
using System.Text;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// Writes a GGUF file, version 3: first metadata (<see cref="Add(string, uint)"/>), then tensor descriptions
/// (<see cref="AddTensor"/>), then the data of the tensors in the same order, in pieces of any size
/// (<see cref="Write"/>), then <see cref="Complete"/>. Until then everything goes to a file beside the target, which
/// <see cref="Dispose"/> deletes, so a failed run leaves no half-written model. Not safe for several threads.
/// </summary>
public sealed class GgufWriter : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly string path;
    private readonly string partPath;
    private readonly FileStream file;
    private readonly MemoryStream entries = new();
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly List<GgufTensor> tensors = [];
    private readonly HashSet<string> tensorNames = new(StringComparer.Ordinal);
    private long dataBytes;
    private bool headerWritten;
    private int currentTensor;
    private long currentBytes;
    private bool completed;

    private GgufWriter(string path)
    {
        this.path = path;
        partPath = path + ".part";
        file = new FileStream(partPath, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
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
        WriteUInt32(entries, value);
    }

    /// <summary>Adds a float32.</summary>
    public void Add(string key, float value)
    {
        AddKey(key, GgufValueType.Float32);
        WriteUInt32(entries, BitConverter.SingleToUInt32Bits(value));
    }

    /// <summary>Adds a bool.</summary>
    public void Add(string key, bool value)
    {
        AddKey(key, GgufValueType.Bool);
        entries.WriteByte(value ? (byte)1 : (byte)0);
    }

    /// <summary>Adds a string.</summary>
    public void Add(string key, string value)
    {
        AddKey(key, GgufValueType.String);
        WriteString(entries, value);
    }

    /// <summary>Adds an array of float32.</summary>
    public void Add(string key, IReadOnlyCollection<float> values)
    {
        AddArray(key, GgufValueType.Float32, values.Count);
        foreach (float value in values)
            WriteUInt32(entries, BitConverter.SingleToUInt32Bits(value));
    }

    /// <summary>Adds an array of int32.</summary>
    public void Add(string key, IReadOnlyCollection<int> values)
    {
        AddArray(key, GgufValueType.Int32, values.Count);
        foreach (int value in values)
            WriteUInt32(entries, (uint)value);
    }

    /// <summary>Adds an array of strings.</summary>
    public void Add(string key, IReadOnlyCollection<string> values)
    {
        AddArray(key, GgufValueType.String, values.Count);
        foreach (string value in values)
            WriteString(entries, value);
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
        if (!tensorNames.Add(name))
            throw new ArgumentException($"tensor '{name}' is there already", nameof(name));
        var tensor = new GgufTensor(name, dimensions, type, dataBytes);
        tensors.Add(tensor);
        dataBytes = GgufFormat.Align(dataBytes + tensor.Bytes, GgufFormat.DefaultAlignment);
        return tensor;
    }

    /// <summary>Writes the next bytes of <paramref name="tensor"/>; the first call ends the header.</summary>
    /// <exception cref="InvalidOperationException">It is another tensor's turn, or the bytes are more than it has left.</exception>
    /// <exception cref="GgufException">The disk is full or the write failed.</exception>
    public void Write(GgufTensor tensor, ReadOnlySpan<byte> bytes)
    {
        if (currentTensor >= tensors.Count || !ReferenceEquals(tensors[currentTensor], tensor))
            throw new InvalidOperationException($"it is not the turn of tensor '{tensor.Name}'");
        if (bytes.Length > tensor.Bytes - currentBytes)
            throw new InvalidOperationException($"tensor '{tensor.Name}' takes {tensor.Bytes - currentBytes} more bytes, not {bytes.Length}");
        try
        {
            WriteHeader();
            file.Write(bytes);
            currentBytes += bytes.Length;
            if (currentBytes == tensor.Bytes)
                EndTensor();
        }
        catch (IOException e)
        {
            throw new GgufException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Moves the finished file to its place.</summary>
    /// <exception cref="InvalidOperationException">Data of a tensor are missing.</exception>
    /// <exception cref="GgufException">The file cannot be written or moved.</exception>
    public void Complete()
    {
        if (currentTensor < tensors.Count)
            throw new InvalidOperationException($"tensor '{tensors[currentTensor].Name}' lacks {tensors[currentTensor].Bytes - currentBytes} bytes");
        try
        {
            WriteHeader();
            file.Flush(flushToDisk: true);
            file.Dispose();
            File.Move(partPath, path, overwrite: true);
            completed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GgufException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Closes the file; without <see cref="Complete"/>, deletes what was written.</summary>
    public void Dispose()
    {
        try
        {
            file.Dispose();
        }
        catch (IOException) when (!completed)
        {
            // The buffer did not fit on the disk either; the file goes away all the same.
        }

        entries.Dispose();
        if (!completed)
            File.Delete(partPath);
    }

    private void WriteHeader()
    {
        if (headerWritten)
            return;
        headerWritten = true;
        file.Write(GgufFormat.Magic);
        WriteUInt32(file, GgufFormat.Version);
        WriteUInt64(file, (ulong)tensors.Count);
        WriteUInt64(file, (ulong)keys.Count);
        entries.WriteTo(file);
        foreach (GgufTensor tensor in tensors)
            WriteTensorInfo(tensor);
        Pad();
    }

    private void WriteTensorInfo(GgufTensor tensor)
    {
        WriteString(file, tensor.Name);
        WriteUInt32(file, (uint)tensor.Dimensions.Count);
        foreach (long dimension in tensor.Dimensions)
            WriteUInt64(file, (ulong)dimension);
        WriteUInt32(file, (uint)tensor.Type.Type);
        WriteUInt64(file, (ulong)tensor.Offset);
    }

    private void EndTensor()
    {
        Pad();
        currentTensor++;
        currentBytes = 0;
    }

    private void Pad()
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[GgufFormat.DefaultAlignment];
        file.Write(zeros[..(int)(GgufFormat.Align(file.Position, GgufFormat.DefaultAlignment) - file.Position)]);
    }

    private void AddArray(string key, GgufValueType type, int count)
    {
        AddKey(key, GgufValueType.Array);
        WriteUInt32(entries, (uint)type);
        WriteUInt64(entries, (ulong)count);
    }

    private void AddKey(string key, GgufValueType type)
    {
        RequireHeaderOpen();
        if (!keys.Add(key))
            throw new ArgumentException($"metadata '{key}' is there already", nameof(key));
        WriteString(entries, key);
        WriteUInt32(entries, (uint)type);
    }

    private void RequireHeaderOpen()
    {
        if (headerWritten)
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
