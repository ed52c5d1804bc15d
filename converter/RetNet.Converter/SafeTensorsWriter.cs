using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace RetNet.Converter;

/// <summary>
/// Writes a safetensors file of f32 tensors whose values come in any order. Until <see cref="Complete"/> everything goes to a file
/// beside the target, which <see cref="Dispose"/> deletes. Not safe for several threads.
/// </summary>
public sealed class SafeTensorsWriter : IDisposable
{
    private const int HeaderAlignment = 8;

    private readonly string _path;
    private readonly string _partPath;
    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, (long Begin, long End)> _tensors = new(StringComparer.Ordinal);
    private bool _completed;

    private SafeTensorsWriter(string path, IReadOnlyList<(string Name, IReadOnlyList<long> Shape)> tensors)
    {
        (_path, _partPath) = (path, path + ".part");
        byte[] header = Header(tensors);
        _file = File.OpenHandle(_partPath, FileMode.Create, FileAccess.Write, FileShare.None);
        RandomAccess.Write(_file, header, 0);
    }

    /// <summary>Starts writing <paramref name="path"/>, which <see cref="Complete"/> will create or replace.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Its tensors, in order: names and dimensions, rows first.</param>
    /// <exception cref="ConverterException">It cannot be written.</exception>
    public static SafeTensorsWriter Create(string path, IReadOnlyList<(string Name, IReadOnlyList<long> Shape)> tensors)
    {
        if (Directory.Exists(path))
            throw new ConverterException(path, "cannot be written: it is a directory; name a file");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new ConverterException(path, "cannot be written: its folder does not exist; create it first");
        return Guard(path, () => new SafeTensorsWriter(path, tensors));
    }

    /// <summary>Writes values of a tensor from the element <paramref name="first"/> on.</summary>
    /// <exception cref="ConverterException">The disk is full or the write failed.</exception>
    public void Write(string tensor, long first, ReadOnlySpan<float> values)
    {
        (long begin, long end) = _tensors[tensor];
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, (end - begin) / sizeof(float) - values.Length);
        try
        {
            RandomAccess.Write(_file, MemoryMarshal.AsBytes(values), begin + first * sizeof(float));
        }
        catch (IOException e)
        {
            throw new ConverterException(_path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Puts the file in its place.</summary>
    /// <exception cref="ConverterException">That failed.</exception>
    public void Complete() => Guard(_path, () =>
    {
        _file.Dispose();
        File.Move(_partPath, _path, overwrite: true);
        return _completed = true;
    });

    /// <summary>Closes the file; one that was not completed is deleted.</summary>
    public void Dispose()
    {
        _file.Dispose();
        if (!_completed)
            File.Delete(_partPath);
    }

    private static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConverterException(path, $"cannot be written: {e.Message}", e);
        }
    }

    private byte[] Header(IReadOnlyList<(string Name, IReadOnlyList<long> Shape)> tensors)
    {
        using var json = new MemoryStream();
        long bytes = 0;
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach ((string name, IReadOnlyList<long> shape) in tensors)
            {
                long size = shape.Aggregate((long)sizeof(float), (product, n) => checked(product * n));
                writer.WriteStartObject(name);
                writer.WriteString("dtype", "F32");
                WriteNumbers(writer, "shape", shape);
                WriteNumbers(writer, "data_offsets", [bytes, bytes + size]);
                writer.WriteEndObject();
                _tensors.Add(name, (bytes, bytes + size));
                bytes += size;
            }

            writer.WriteEndObject();
        }

        // Padded with spaces, so that the data begin aligned.
        int length = ((int)json.Length + HeaderAlignment - 1) / HeaderAlignment * HeaderAlignment;
        byte[] header = new byte[sizeof(ulong) + length];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        json.ToArray().CopyTo(header, sizeof(ulong));
        foreach (string name in _tensors.Keys)
            _tensors[name] = (_tensors[name].Begin + header.Length, _tensors[name].End + header.Length);
        return header;
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, IReadOnlyList<long> numbers)
    {
        writer.WriteStartArray(name);
        foreach (long number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
