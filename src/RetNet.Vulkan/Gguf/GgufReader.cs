using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace RetNet.Vulkan.Gguf;

/// <summary>
/// Reads the values of a GGUF header one after the other. Nothing is allocated before its bytes are known to be in
/// the file, so a hostile count costs no more memory than the file has bytes.
/// </summary>
internal sealed class GgufReader(string path, MappedFile bytes)
{
    private const int DeepestArray = 8;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public long Position { get; private set; }

    /// <summary>What is being read, for messages.</summary>
    public string Where { get; set; } = "header";

    public GgufException Error(string problem) => new(path, problem);

    public T Read<T>()
        where T : unmanaged
    {
        Require(Unsafe.SizeOf<T>());
        T value = MemoryMarshal.Read<T>(bytes.Span(Position, Unsafe.SizeOf<T>()));
        Position += Unsafe.SizeOf<T>();
        return value;
    }

    public string ReadString()
    {
        long start = Position;
        int length = ReadCount(1, "bytes of a string");
        try
        {
            string value = StrictUtf8.GetString(bytes.Span(Position, length));
            Position += length;
            return value;
        }
        catch (DecoderFallbackException e)
        {
            throw new GgufException(path, $"the string at byte {start} ({Where}) is not UTF-8; the file is damaged, fetch or convert it again", e);
        }
    }

    public object ReadValue(GgufValueType type, int depth = 0) => type switch
    {
        GgufValueType.UInt8 => Read<byte>(),
        GgufValueType.Int8 => Read<sbyte>(),
        GgufValueType.UInt16 => Read<ushort>(),
        GgufValueType.Int16 => Read<short>(),
        GgufValueType.UInt32 => Read<uint>(),
        GgufValueType.Int32 => Read<int>(),
        GgufValueType.Float32 => Read<float>(),
        GgufValueType.Bool => ReadBool(),
        GgufValueType.String => ReadString(),
        GgufValueType.Array => ReadArray(depth),
        GgufValueType.UInt64 => Read<ulong>(),
        GgufValueType.Int64 => Read<long>(),
        GgufValueType.Float64 => Read<double>(),
        _ => throw Error($"{Where} has the unknown value type {(uint)type} at byte {Position - sizeof(uint)}; the file is damaged or newer than this program"),
    };

    /// <summary>Reads a 64-bit count of items that take at least <paramref name="itemBytes"/> each.</summary>
    public int ReadCount(int itemBytes, string items)
    {
        long at = Position;
        ulong count = Read<ulong>();
        long left = bytes.Length - Position;
        if (count > (ulong)(left / itemBytes))
            throw Error($"{Where} announces {count} {items} at byte {at}, but only {left} bytes follow; the file is truncated or damaged, fetch it again");
        if (count > (ulong)Array.MaxLength)
            throw Error($"{Where} announces {count} {items} at byte {at}, more than this program can hold");
        return (int)count;
    }

    private void Require(int count)
    {
        long missing = Position + count - bytes.Length;
        if (missing > 0)
            throw Error($"the file ends inside its {Where}: at least {missing} bytes are missing after byte {bytes.Length}; it is truncated, fetch it again");
    }

    private bool ReadBool() => Read<byte>() switch
    {
        0 => false,
        1 => true,
        byte other => throw Error($"{Where} holds {other} at byte {Position - 1} where a bool is 0 or 1; the file is damaged"),
    };

    private Array ReadArray(int depth)
    {
        if (depth == DeepestArray)
            throw Error($"{Where} nests arrays more than {DeepestArray} deep at byte {Position}; the file is damaged");
        var type = (GgufValueType)Read<uint>();
        return type switch
        {
            GgufValueType.UInt8 => ReadScalars<byte>(),
            GgufValueType.Int8 => ReadScalars<sbyte>(),
            GgufValueType.UInt16 => ReadScalars<ushort>(),
            GgufValueType.Int16 => ReadScalars<short>(),
            GgufValueType.UInt32 => ReadScalars<uint>(),
            GgufValueType.Int32 => ReadScalars<int>(),
            GgufValueType.Float32 => ReadScalars<float>(),
            GgufValueType.UInt64 => ReadScalars<ulong>(),
            GgufValueType.Int64 => ReadScalars<long>(),
            GgufValueType.Float64 => ReadScalars<double>(),
            GgufValueType.Bool => ReadItems(sizeof(byte), ReadBool),
            GgufValueType.String => ReadItems(sizeof(ulong), ReadString),
            GgufValueType.Array => ReadItems(sizeof(uint) + sizeof(ulong), () => ReadArray(depth + 1)),
            _ => throw Error($"{Where} is an array of the unknown value type {(uint)type} at byte {Position - sizeof(uint)}; the file is damaged or newer than this program"),
        };
    }

    private T[] ReadScalars<T>()
        where T : unmanaged
    {
        var values = new T[ReadCount(Unsafe.SizeOf<T>(), "array elements")];
        Span<byte> destination = MemoryMarshal.AsBytes(values.AsSpan(..Math.Min(values.Length, int.MaxValue / Unsafe.SizeOf<T>())));
        if (destination.Length != (long)values.Length * Unsafe.SizeOf<T>())
            throw Error($"{Where} is an array of {values.Length} elements, more than this program can hold");
        bytes.Span(Position, destination.Length).CopyTo(destination);
        Position += destination.Length;
        return values;
    }

    private T[] ReadItems<T>(int itemBytes, Func<T> read)
    {
        var values = new T[ReadCount(itemBytes, "array elements")];
        for (int i = 0; i < values.Length; i++)
            values[i] = read();
        return values;
    }
}
