using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Tests.Gguf;

/// <summary>tests/fixtures/ggml_blocks.bin: blocks and what ggml's formulas give for them in C (tools/ggml_blocks.c).</summary>
internal sealed class GgmlBlocks
{
    private readonly byte[] _bytes = File.ReadAllBytes(Repository.Fixture("ggml_blocks.bin"));
    private int _position = sizeof(uint);

    public GgmlBlocks()
    {
        int values = 32 * Count;
        Source = MemoryMarshal.Cast<byte, float>(Take(values * sizeof(float))).ToArray();
        Encoded["f16"] = Take(values * sizeof(ushort)).ToArray();
        Encoded["bf16"] = Take(values * sizeof(ushort)).ToArray();
        Encoded["q8_0"] = Take(Count * 34).ToArray();
        Encoded["q4_0"] = Take(Count * 18).ToArray();
        Decoded["q8_0"] = MemoryMarshal.Cast<byte, float>(Take(values * sizeof(float))).ToArray();
        Decoded["q4_0"] = MemoryMarshal.Cast<byte, float>(Take(values * sizeof(float))).ToArray();
        Encoded["iq4_nl"] = Take(Count * 18).ToArray();
        Decoded["iq4_nl"] = MemoryMarshal.Cast<byte, float>(Take(values * sizeof(float))).ToArray();
    }

    public int Count => (int)BitConverter.ToUInt32(_bytes);

    public float[] Source { get; }

    public Dictionary<string, byte[]> Encoded { get; } = [];

    public Dictionary<string, float[]> Decoded { get; } = [];

    private Span<byte> Take(int count)
    {
        _position += count;
        return _bytes.AsSpan(_position - count, count);
    }
}
