using System.Runtime.InteropServices;
using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Tests.Gguf;

public sealed class GgufFileTests : IDisposable
{
    private const uint F32 = 0;
    private const uint String = 8;
    private const uint Array = 9;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_GivesBackWhatWasWritten()
    {
        string path = WriteSmallModel();
        using GgufFile file = GgufFile.Open(path);

        Assert.Equal(3, file.Version);
        Assert.Equal(32, file.Alignment);
        Assert.Equal(7u, file.GetUInt32("a.count"));
        Assert.Equal(1.5f, file.GetFloat32("a.scale"));
        Assert.True(file.GetBool("a.flag"));
        Assert.Equal("größe ▁", file.GetString("a.text"));
        Assert.Equal([0.5f, -1f, float.MaxValue], file.GetArray<float>("a.floats"));
        Assert.Equal([-1, 2], file.GetArray<int>("a.ints"));
        Assert.Equal(["", "Ġthe", "\n"], file.GetArray<string>("a.strings"));
        Assert.Equal(["a.count", "a.scale", "a.flag", "a.text", "a.floats", "a.ints", "a.strings"], file.Metadata.Keys);
        Assert.Equal(["odd", "quantized", "last"], file.Tensors.Keys);
    }

    [Fact]
    public unsafe void Rows_AreTheEncodedRows()
    {
        string path = WriteSmallModel();
        using GgufFile file = GgufFile.Open(path);
        GgufTensor odd = file.GetTensor("odd");
        GgufTensor quantized = file.GetTensor("quantized");

        Assert.Equal([5L, 3L], odd.Dimensions);
        Assert.Equal((20L, 3L, 60L), (odd.RowBytes, odd.Rows, odd.Bytes));
        Assert.Equal([5f, 6f, 7f, 8f, 9f], MemoryMarshal.Cast<byte, float>(file.Row(odd, 1)));
        Assert.Equal(0, quantized.Offset % 32);
        Assert.Equal(68, quantized.RowBytes);
        Assert.Equal(file.Row(quantized, 2), new ReadOnlySpan<byte>(file.Pointer(quantized) + 2 * 68, 68));
        Assert.Equal(file.Rows(quantized, 1, 2)[68..], file.Row(quantized, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Row(odd, 3).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Row(odd, -1).Length);
    }

    [Fact]
    public void Metadata_OfEveryTypeIsRead()
    {
        GgufBytes bytes = GgufBytes.Header(0, 9)
            .Entry("u8", 0).Raw([200]).Entry("i8", 1).Raw([0xFF]).Entry("u16", 2).Raw([1, 2]).Entry("i16", 3).Raw([0xFE, 0xFF])
            .Entry("i32", 5).UInt32(uint.MaxValue).Entry("u64", 10).Int64(-1).Entry("i64", 11).Int64(-2)
            .Entry("f64", 12).Int64(BitConverter.DoubleToInt64Bits(0.1))
            .Entry("nested", Array).UInt32(Array).Int64(2).UInt32(String).Int64(1).String("x").UInt32(7).Int64(2).Raw([1, 0]);
        using GgufFile file = GgufFile.Open(Save(bytes));

        Assert.Equal((byte)200, file.Metadata["u8"]);
        Assert.Equal((sbyte)-1, file.Metadata["i8"]);
        Assert.Equal((ushort)0x201, file.Metadata["u16"]);
        Assert.Equal((short)-2, file.Metadata["i16"]);
        Assert.Equal(-1, file.Metadata["i32"]);
        Assert.Equal(ulong.MaxValue, file.Metadata["u64"]);
        Assert.Equal(-2L, file.Metadata["i64"]);
        Assert.Equal(0.1, file.Metadata["f64"]);
        Array[] nested = Assert.IsType<Array[]>(file.Metadata["nested"]);
        Assert.Equal(["x"], Assert.IsType<string[]>(nested[0]));
        Assert.Equal([true, false], Assert.IsType<bool[]>(nested[1]));
    }

    [Fact]
    public void Alignment_OfTheFileIsHonoured()
    {
        GgufBytes bytes = GgufBytes.Header(1, 1).Entry("general.alignment", 4).UInt32(8).Tensor("t", [2], F32, 8).Data(64);
        using GgufFile file = GgufFile.Open(Save(bytes));

        Assert.Equal(8, file.Alignment);
        Assert.Equal((24 + 33 + 4 + 33 + 7) / 8 * 8 + 8, file.GetTensor("t").Offset);
    }

    [Fact]
    public void Version2_IsRead()
    {
        using GgufFile file = GgufFile.Open(Save(GgufBytes.Header(0, 0, version: 2)));
        Assert.Equal(2, file.Version);
    }

    [Fact]
    public void Getters_NameTheKeyAndBothTypes()
    {
        using GgufFile file = GgufFile.Open(WriteSmallModel());

        Assert.Contains("has no metadata 'b.count' (uint32)", Throws(() => file.GetUInt32("b.count")));
        Assert.Contains("metadata 'a.scale' is of type float32, expected uint32", Throws(() => file.GetUInt32("a.scale")));
        Assert.Contains("'a.ints' is of type array of int32, expected array of uint32", Throws(() => file.GetArray<uint>("a.ints")));
        Assert.Contains("'a.text' is of type string, expected array of string", Throws(() => file.GetArray<string>("a.text")));
        Assert.False(file.TryGet("missing", out string? _));
        Assert.Contains("'nothing'", Throws(() => file.GetTensor("nothing")));
    }

    [Fact]
    public void ATensorBeyond2GiB_IsReadToItsEnd()
    {
        const long rows = (1L << 31) / 4096 + 5;
        byte[] header = GgufBytes.Header(1, 0).Tensor("big", [1024, rows], F32, 0).Data(0).ToArray();
        string path = _folder.File("big.gguf");
        using (FileStream sparse = File.Create(path))
        {
            sparse.Write(header);
            sparse.SetLength(header.Length + rows * 4096);
            sparse.Seek(-4, SeekOrigin.End);
            sparse.Write(BitConverter.GetBytes(42f));
        }

        using GgufFile file = GgufFile.Open(path);
        GgufTensor big = file.GetTensor("big");

        Assert.True(big.Bytes > int.MaxValue);
        Assert.Equal(42f, MemoryMarshal.Cast<byte, float>(file.Row(big, rows - 1))[^1]);
        Assert.Equal(0f, MemoryMarshal.Cast<byte, float>(file.Row(big, rows - 1))[0]);
    }

    [Fact]
    public void TruncatedAnywhere_IsAGgufException()
    {
        byte[] whole = File.ReadAllBytes(WriteSmallModel());
        long dataEnd;
        using (GgufFile file = GgufFile.Open(_folder.File("small.gguf")))
            dataEnd = file.Tensors.Values.Max(tensor => tensor.Offset + tensor.Bytes);
        for (int length = 0; length < dataEnd; length++)
            ThrowsFor(whole[..length]);
        GgufFile.Open(Save(whole[..(int)dataEnd])).Dispose();
    }

    [Fact]
    public void TruncatedData_SaysHowManyBytesAreMissing()
    {
        GgufBytes bytes = GgufBytes.Header(1, 0).Tensor("t", [10, 2], F32, 0).Data(80 - 13);
        Assert.Contains("13 bytes are missing", ThrowsFor(bytes));
    }

    [Fact]
    public void DamagedAnywhere_IsReadOrAGgufException()
    {
        byte[] whole = File.ReadAllBytes(WriteSmallModel());
        for (int i = 0; i < whole.Length; i++)
        {
            foreach (byte value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF, (byte)(whole[i] ^ 1), (byte)(whole[i] ^ 0x10) })
            {
                byte original = whole[i];
                whole[i] = value;
                string path = Save(whole);
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    GgufFile.Open(path).Dispose();
                }
                catch (GgufException e)
                {
                    Assert.DoesNotContain(e.Message, char.IsControl);
                }

                Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, $"byte {i} = {value}");
                whole[i] = original;
            }
        }
    }

    [Theory]
    [InlineData("504B0304", "zip archive")]
    [InlineData("8002", "pickle")]
    [InlineData("10000000000000007B22", "safetensors")]
    [InlineData("4655474700", "big-endian")]
    [InlineData("76657273696F6E2068747470733A2F2F", "git lfs pull")]
    [InlineData("67676D6C", "67676D6C")]
    [InlineData("", "is empty")]
    [InlineData("4747", "truncated")]
    [InlineData("47475546000000030000000000000000", "big-endian")]
    [InlineData("47475546010000000000000000000000", "version 1")]
    [InlineData("47475546040000000000000000000000", "version 4")]
    public void OtherFiles_AreNamed(string start, string expected) =>
        Assert.Contains(expected, ThrowsFor(Convert.FromHexString(start)));

    [Fact]
    public void MissingFilesAndFolders_AreNamed()
    {
        Assert.Contains("no such file", Throws(() => GgufFile.Open(_folder.File("none.gguf"))));
        Assert.Contains("is a directory", Throws(() => GgufFile.Open(_folder.Path)));
    }

    [Fact]
    public void HostileHeaders_AreRefused()
    {
        Assert.Contains("announces", ThrowsFor(GgufBytes.Header(long.MaxValue, 0)));
        Assert.Contains("announces", ThrowsFor(GgufBytes.Header(-1, 0)));
        Assert.Contains("announces", ThrowsFor(GgufBytes.Header(0, 1L << 40)));
        Assert.Contains("announces", ThrowsFor(GgufBytes.Header(0, 1).Int64(1L << 50).Data(32)));
        Assert.Contains("metadata 'k' announces", ThrowsFor(GgufBytes.Header(0, 1).Entry("k", Array).UInt32(12).Int64(1L << 60).Data(99)));
        Assert.Contains("unknown value type 13", ThrowsFor(GgufBytes.Header(0, 1).Entry("k", 13).Data(8)));
        Assert.Contains("array of the unknown value type 77", ThrowsFor(GgufBytes.Header(0, 1).Entry("k", Array).UInt32(77).Int64(0)));
        Assert.Contains("bool", ThrowsFor(GgufBytes.Header(0, 1).Entry("k", 7).Raw([2])));
        Assert.Contains("not UTF-8", ThrowsFor(GgufBytes.Header(0, 1).Entry("k", String).Int64(1).Raw([0xFF])));
        Assert.Contains("'k' twice", ThrowsFor(GgufBytes.Header(0, 2).Entry("k", 0).Raw([1]).Entry("k", 0).Raw([1])));
        Assert.Contains("power of two", ThrowsFor(GgufBytes.Header(0, 1).Entry("general.alignment", 4).UInt32(12)));
        Assert.Contains("power of two", ThrowsFor(GgufBytes.Header(0, 1).Entry("general.alignment", 4).UInt32(0)));
        GgufBytes nested = GgufBytes.Header(0, 1).Entry("k", Array);
        for (int i = 0; i < 100_000; i++)
            nested.UInt32(Array).Int64(1);
        Assert.Contains("deep", ThrowsFor(nested));
    }

    [Fact]
    public void HostileTensors_AreRefused()
    {
        Assert.Contains("'t' is of type q6_K", ThrowsFor(OneTensor([256], 14, 0)));
        Assert.Contains("unknown type 99", ThrowsFor(OneTensor([256], 99, 0)));
        Assert.Contains("0 dimensions", ThrowsFor(OneTensor([], F32, 0)));
        Assert.Contains("5 dimensions", ThrowsFor(OneTensor([1, 1, 1, 1, 1], F32, 0)));
        Assert.Contains("dimension 0", ThrowsFor(OneTensor([4, 0], F32, 0)));
        Assert.Contains("impossible size", ThrowsFor(OneTensor([1L << 40, 1L << 40], F32, 0)));
        Assert.Contains("impossible size", ThrowsFor(OneTensor([1L << 62], F32, 0)));
        Assert.Contains("impossible offset", ThrowsFor(OneTensor([4], F32, long.MaxValue - 31)));
        Assert.Contains("offset 16, not a multiple of 32", ThrowsFor(OneTensor([4], F32, 16)));
        Assert.Contains("no whole number of q8_0 blocks", ThrowsFor(OneTensor([60], 8, 0)));
        Assert.Contains("bytes are missing", ThrowsFor(OneTensor([4], F32, 1 << 20)));
        Assert.Contains("'t' twice", ThrowsFor(GgufBytes.Header(2, 0).Tensor("t", [8], F32, 0).Tensor("t", [8], F32, 32).Data(64)));
        Assert.Contains("'b' and 'a' overlap", ThrowsFor(GgufBytes.Header(2, 0).Tensor("a", [8], F32, 32).Tensor("b", [9], F32, 0).Data(64)));
    }

    [Fact]
    public void ControlCharactersOfTheFile_DoNotReachTheMessage()
    {
        string message = ThrowsFor(GgufBytes.Header(1, 0).Tensor("a\n\u001b[31m", [256], 14, 0).Data(256));
        Assert.DoesNotContain(message, char.IsControl);
    }

    private static GgufBytes OneTensor(long[] dimensions, uint type, long offset) =>
        GgufBytes.Header(1, 0).Tensor("t", dimensions, type, offset).Data(256);

    private static string Throws(Func<object?> action) => Assert.Throws<GgufException>(action).Message;

    private string ThrowsFor(GgufBytes bytes) => ThrowsFor(bytes.ToArray());

    private string ThrowsFor(byte[] bytes)
    {
        string path = Save(bytes);
        string message = Throws(() => GgufFile.Open(path));
        Assert.StartsWith(path + ": ", message);
        return message;
    }

    private string Save(GgufBytes bytes) => Save(bytes.ToArray());

    private string Save(byte[] bytes)
    {
        string path = _folder.File("case.gguf");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private string WriteSmallModel()
    {
        string path = _folder.File("small.gguf");
        using GgufWriter writer = GgufWriter.Create(path);
        writer.Add("a.count", 7u);
        writer.Add("a.scale", 1.5f);
        writer.Add("a.flag", true);
        writer.Add("a.text", "größe ▁");
        writer.Add("a.floats", [0.5f, -1f, float.MaxValue]);
        writer.Add("a.ints", [-1, 2]);
        writer.Add("a.strings", ["", "Ġthe", "\n"]);
        GgufTensor odd = writer.AddTensor("odd", BlockType.Of(GgmlType.F32), 5, 3);
        GgufTensor quantized = writer.AddTensor("quantized", BlockType.Of(GgmlType.Q8_0), 64, 3);
        GgufTensor last = writer.AddTensor("last", BlockType.Of(GgmlType.F16), 7);
        writer.Write(odd, MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5, 6]));
        writer.Write(odd, MemoryMarshal.AsBytes<float>([7, 8, 9, 10, 11, 12, 13, 14]));
        writer.Write(quantized, [.. Enumerable.Range(0, 204).Select(i => (byte)i)]);
        writer.Write(last, new byte[14]);
        writer.Complete();
        return path;
    }
}
