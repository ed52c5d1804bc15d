using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace RetNet.Vulkan.Tests.Reference;

/// <summary>A small safetensors file, read whole: an 8-byte length, a JSON header, then the data.</summary>
internal sealed class SafetensorsFixture
{
    private readonly byte[] _bytes;
    private readonly Dictionary<string, (int[] Shape, int Start, int End)> _tensors = new(StringComparer.Ordinal);

    public SafetensorsFixture(string path)
    {
        _bytes = File.ReadAllBytes(path);
        var data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes);
        using var header = JsonDocument.Parse(_bytes.AsMemory(8, data - 8));
        foreach (var entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            var offsets = entry.Value.GetProperty("data_offsets");
            int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
            _tensors.Add(entry.Name, (shape, data + offsets[0].GetInt32(), data + offsets[1].GetInt32()));
        }
    }

    public int[] Shape(string name) => _tensors[name].Shape;

    public bool Has(string name) => _tensors.ContainsKey(name);

    public float[] Floats(string name) => [.. MemoryMarshal.Cast<byte, float>(Bytes(name))];

    public int[] Ints(string name) => [.. MemoryMarshal.Cast<byte, int>(Bytes(name))];

    private ReadOnlySpan<byte> Bytes(string name) => _bytes.AsSpan(_tensors[name].Start.._tensors[name].End);
}
