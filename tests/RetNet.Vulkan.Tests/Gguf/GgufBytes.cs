using System.Text;

namespace RetNet.Vulkan.Tests.Gguf;

/// <summary>Spells GGUF bytes one field at a time, so that a test can spell them wrongly.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    public static GgufBytes Header(long tensors, long entries, uint version = 3) =>
        new GgufBytes().Raw("GGUF"u8).UInt32(version).Int64(tensors).Int64(entries);

    public GgufBytes Raw(ReadOnlySpan<byte> values)
    {
        _bytes.AddRange(values);
        return this;
    }

    public GgufBytes UInt32(uint value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes Int64(long value) => Raw(BitConverter.GetBytes(value));

    public GgufBytes String(string value)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(value);
        return Int64(utf8.Length).Raw(utf8);
    }

    public GgufBytes Entry(string key, uint type) => String(key).UInt32(type);

    public GgufBytes Tensor(string name, long[] dimensions, uint type, long offset)
    {
        String(name).UInt32((uint)dimensions.Length);
        foreach (long dimension in dimensions)
            Int64(dimension);
        return UInt32(type).Int64(offset);
    }

    /// <summary>Pads to 32 bytes and appends <paramref name="count"/> data bytes.</summary>
    public GgufBytes Data(int count) => Raw(new byte[(-_bytes.Count & 31) + count]);

    public byte[] ToArray() => [.. _bytes];
}
