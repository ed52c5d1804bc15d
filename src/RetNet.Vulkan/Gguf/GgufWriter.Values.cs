using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Gguf;

public sealed partial class GgufWriter
{
    /// <summary>Adds a value as <see cref="GgufFile.Metadata"/> holds it, in the type that it has there.</summary>
    /// <exception cref="ArgumentException">It is of no type that metadata can have.</exception>
    public void AddValue(string key, object value)
    {
        AddKey(key, TypeOf(value.GetType()));
        WriteValue(value);
    }

    private static GgufValueType TypeOf(Type type) => type switch
    {
        _ when type == typeof(byte) => GgufValueType.UInt8,
        _ when type == typeof(sbyte) => GgufValueType.Int8,
        _ when type == typeof(ushort) => GgufValueType.UInt16,
        _ when type == typeof(short) => GgufValueType.Int16,
        _ when type == typeof(uint) => GgufValueType.UInt32,
        _ when type == typeof(int) => GgufValueType.Int32,
        _ when type == typeof(float) => GgufValueType.Float32,
        _ when type == typeof(bool) => GgufValueType.Bool,
        _ when type == typeof(string) => GgufValueType.String,
        _ when type == typeof(Array) || type.IsArray => GgufValueType.Array,
        _ when type == typeof(ulong) => GgufValueType.UInt64,
        _ when type == typeof(long) => GgufValueType.Int64,
        _ when type == typeof(double) => GgufValueType.Float64,
        _ => throw new ArgumentException($"metadata cannot be of type {type}", nameof(type)),
    };

    private void WriteValue(object value)
    {
        switch (value)
        {
            case byte number: WriteScalar(number); break;
            case sbyte number: WriteScalar(number); break;
            case ushort number: WriteScalar(number); break;
            case short number: WriteScalar(number); break;
            case uint number: WriteScalar(number); break;
            case int number: WriteScalar(number); break;
            case ulong number: WriteScalar(number); break;
            case long number: WriteScalar(number); break;
            case float number: WriteScalar(number); break;
            case double number: WriteScalar(number); break;
            case bool flag: WriteScalar(flag ? (byte)1 : (byte)0); break;
            case string text: WriteString(_entries, text); break;
            case Array array: WriteArray(array); break;
        }
    }

    private void WriteScalar<T>(T value)
        where T : unmanaged =>
        _entries.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    private void WriteArray(Array array)
    {
        WriteUInt32(_entries, (uint)TypeOf(array.GetType().GetElementType()!));
        WriteUInt64(_entries, (ulong)array.Length);
        foreach (object element in array)
            WriteValue(element);
    }
}
