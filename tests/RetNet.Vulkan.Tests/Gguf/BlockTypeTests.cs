using System.Runtime.InteropServices;
using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Tests.Gguf;

public class BlockTypeTests
{
    [Theory]
    [InlineData("f16")]
    [InlineData("bf16")]
    [InlineData("q8_0")]
    [InlineData("q4_0")]
    [InlineData("iq4_nl")]
    public void Quantize_EqualsGgmlBitForBit(string name)
    {
        var blocks = new GgmlBlocks();
        BlockType type = BlockType.Find(name)!;
        var encoded = new byte[type.RowBytes(blocks.Source.Length)];

        type.Quantize(blocks.Source, encoded);

        for (int block = 0; block < blocks.Count; block++)
        {
            int bytes = 32 / type.Length * type.Bytes;
            Assert.True(
                encoded.AsSpan(block * bytes, bytes).SequenceEqual(blocks.Encoded[name].AsSpan(block * bytes, bytes)),
                $"block {block}: {string.Join(' ', blocks.Source[(block * 32)..(block * 32 + 32)])}");
        }
    }

    [Theory]
    [InlineData("q8_0")]
    [InlineData("q4_0")]
    [InlineData("iq4_nl")]
    public void Dequantize_EqualsGgmlBitForBit(string name)
    {
        var blocks = new GgmlBlocks();
        var decoded = new float[blocks.Source.Length];

        BlockType.Find(name)!.Dequantize(blocks.Encoded[name], decoded);

        Assert.Equal(MemoryMarshal.Cast<float, uint>(blocks.Decoded[name]), MemoryMarshal.Cast<float, uint>(decoded));
    }

    [Fact]
    public void F16_DecodesEveryHalf()
    {
        ushort[] halves = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        var decoded = new float[halves.Length];

        BlockType.Of(GgmlType.F16).Dequantize(MemoryMarshal.AsBytes(halves.AsSpan()), decoded);

        for (int i = 0; i < halves.Length; i++)
            Assert.Equal((float)BitConverter.UInt16BitsToHalf(halves[i]), decoded[i]);
    }

    [Fact]
    public void F16_EncodesEveryHalfItDecodes()
    {
        ushort[] halves = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i).Where(h => (h & 0x7C00) != 0x7C00)];
        var decoded = new float[halves.Length];
        var encoded = new ushort[halves.Length];
        BlockType type = BlockType.Of(GgmlType.F16);

        type.Dequantize(MemoryMarshal.AsBytes(halves.AsSpan()), decoded);
        type.Quantize(decoded, MemoryMarshal.AsBytes(encoded.AsSpan()));

        Assert.Equal(halves, encoded);
    }

    // 37 elements: two full vectors of any width and a tail.
    [Fact]
    public void BF16_RoundsToNearestEvenAndKeepsSpecialValues()
    {
        (uint Bits, ushort Expected)[] cases =
        [
            (0x3F80_0000, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82), (0x3F80_8001, 0x3F81),
            (0x8000_0000, 0x8000), (0x0000_0001, 0x0000), (0x0000_8001, 0x0001), (0x7F7F_FFFF, 0x7F80),
            (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7F80_0001, 0x7FC0), (0xFFC1_2345, 0xFFC1),
        ];
        float[] source = [.. Enumerable.Range(0, 37).Select(i => BitConverter.UInt32BitsToSingle(cases[i % cases.Length].Bits))];
        var encoded = new ushort[source.Length];
        var decoded = new float[source.Length];
        BlockType type = BlockType.Of(GgmlType.BF16);

        type.Quantize(source, MemoryMarshal.AsBytes(encoded.AsSpan()));
        type.Dequantize(MemoryMarshal.AsBytes(encoded.AsSpan()), decoded);

        for (int i = 0; i < source.Length; i++)
        {
            Assert.Equal(cases[i % cases.Length].Expected, encoded[i]);
            Assert.Equal((uint)encoded[i] << 16, BitConverter.SingleToUInt32Bits(decoded[i]));
        }
    }

    [Fact]
    public void Q8_0_OfAHandComputedBlock()
    {
        // max |x| = 254, so d = 2 = 0x4000; −3/2 and 3/2 are ties that go away from zero.
        var source = new float[32];
        (source[0], source[1], source[2], source[3], source[31]) = (254, -254, 3, -3, 0.9f);
        var encoded = new byte[34];

        BlockType.Of(GgmlType.Q8_0).Quantize(source, encoded);

        byte[] expected = new byte[34];
        (expected[1], expected[2], expected[3], expected[4], expected[5]) = (0x40, 127, 0x81, 2, 0xFE);
        Assert.Equal(expected, encoded);
    }

    [Fact]
    public void Q4_0_OfAHandComputedBlock()
    {
        // The largest magnitude is −16 at element 5, so d = 2; 16 clips to q = 15, that is 14.
        var source = new float[32];
        (source[0], source[5], source[16], source[21]) = (2, -16, -4, 16);
        var encoded = new byte[18];
        var decoded = new float[32];

        BlockType.Of(GgmlType.Q4_0).Quantize(source, encoded);
        BlockType.Of(GgmlType.Q4_0).Dequantize(encoded, decoded);

        byte[] expected = [0x00, 0x40, .. Enumerable.Repeat((byte)0x88, 16)];
        expected[2] = 0x69;
        expected[7] = 0xF0;
        Assert.Equal(expected, encoded);
        source[21] = 14;
        Assert.Equal(source, decoded);
    }

    [Fact]
    public void IQ4_NL_OfAHandComputedBlock()
    {
        // Multiples of 2 of codebook values, so that d = 2 has no error; code 8, the value 1, stands for zero too.
        sbyte[] codebook = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
        var source = new float[32];
        for (int i = 0; i < 16; i++)
            (source[i], source[i + 16]) = (2 * codebook[i], 2 * codebook[15 - i]);
        var encoded = new byte[18];
        var decoded = new float[32];

        BlockType.Of(GgmlType.IQ4_NL).Quantize(source, encoded);
        BlockType.Of(GgmlType.IQ4_NL).Dequantize(encoded, decoded);

        Assert.Equal([0x00, 0x40, .. Enumerable.Range(0, 16).Select(i => (byte)(i | (15 - i) << 4))], encoded);
        Assert.Equal(source, decoded);
    }

    [Fact]
    public void IQ4_NL_ErrsLessThanQ4_0OnGaussianRows()
    {
        var random = new Random(11);
        float[] row = [.. Enumerable.Range(0, 32 * 999).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

        Assert.InRange(RelativeError(GgmlType.IQ4_NL, row) / RelativeError(GgmlType.Q4_0, row), 0.8, 0.9);
        Assert.InRange(RelativeError(GgmlType.IQ4_NL, row), 0.07, 0.08);
    }

    [Fact]
    public void TinyScales_BecomeZeroWithoutTrouble()
    {
        // d is subnormal, 1/d infinite: the stored scale is zero, so the codes do not matter, but must not throw.
        float[] source = [.. Enumerable.Repeat(float.Epsilon, 31), -float.Epsilon * 1000];
        foreach (GgmlType type in new[] { GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.IQ4_NL })
        {
            var encoded = new byte[BlockType.Of(type).Bytes];
            var decoded = new float[32];
            BlockType.Of(type).Quantize(source, encoded);
            BlockType.Of(type).Dequantize(encoded, decoded);
            Assert.All(decoded, value => Assert.Equal(0f, value));
        }
    }

    [Fact]
    public void RowBytes_RefusesPartsOfABlock()
    {
        Assert.Equal(34 * 27, BlockType.Of(GgmlType.Q8_0).RowBytes(864));
        Assert.Throws<ArgumentException>(() => BlockType.Of(GgmlType.Q8_0).RowBytes(4280));
        Assert.Throws<ArgumentException>(() => BlockType.Of(GgmlType.Q4_0).Quantize(new float[32], new byte[17]));
    }

    [Fact]
    public void Find_KnowsNamesInAnyCase()
    {
        Assert.Equal(GgmlType.BF16, BlockType.Find("BF16")!.Type);
        Assert.Null(BlockType.Find("q6_k"));
        Assert.Null(BlockType.Find((GgmlType)14));
    }

    // √(Σ(x − x̂)² / Σx²).
    private static double RelativeError(GgmlType type, float[] row)
    {
        var encoded = new byte[BlockType.Of(type).RowBytes(row.Length)];
        var decoded = new float[row.Length];
        BlockType.Of(type).Quantize(row, encoded);
        BlockType.Of(type).Dequantize(encoded, decoded);
        return Math.Sqrt(row.Zip(decoded, (x, y) => (double)(x - y) * (x - y)).Sum() / row.Sum(x => (double)x * x));
    }
}
