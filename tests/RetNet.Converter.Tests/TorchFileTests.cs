using System.Buffers.Binary;
using System.IO.Compression;

namespace RetNet.Converter.Tests;

public sealed class TorchFileTests : IDisposable
{
    private static readonly float[] Six = [0, 1, 2, 3, 4, 5];

    private readonly TemporaryFolder _folder = new();

    private string Case => _folder.File("case.pt");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("torchscale_base", "state_dict.pt", "")]
    [InlineData("torchscale_base", "checkpoint_fairseq.pt", "decoder.")]
    [InlineData("torchscale_deepnorm", "checkpoint_fairseq.pt", "decoder.")]
    [InlineData("torchscale_tied_scaled", "state_dict.pt", "")]
    [InlineData("syncdoth_glu", "pytorch_model.bin", "")]
    [InlineData("syncdoth_ffn", "pytorch_model.bin", "")]
    public void WhatTorchSaved_IsWhatTheSafetensorsHold(string fixture, string name, string prefix)
    {
        using WeightFile torch = WeightFile.Open(Repository.Fixture(fixture, name));
        using SafeTensorsFile expected = SafeTensorsFile.Open(Repository.Fixture(fixture, "model.safetensors"));

        foreach (CheckpointTensor tensor in expected.Tensors.Values)
        {
            CheckpointTensor actual = torch.Tensors[prefix + tensor.Name];
            Assert.Equal((tensor.DataType, tensor.Bytes), (actual.DataType, actual.Bytes));
            Assert.Equal(tensor.Shape, actual.Shape);
            Assert.True(tensor.Span(0, (int)tensor.Bytes).SequenceEqual(actual.Span(0, (int)actual.Bytes)));
        }
    }

    [Fact]
    public void Settings_ComeFromCfgModel()
    {
        using WeightFile file = WeightFile.Open(Repository.Fixture("torchscale_deepnorm", "checkpoint_fairseq.pt"));
        using JsonFile settings = file.OpenSettings()!;

        Assert.Equal((32, "gelu", true), (settings.GetInt32("decoder_embed_dim", 0), settings.GetString("activation_fn", ""), settings.GetBoolean("deepnorm", false)));
        Assert.Equal("'cfg.model'", settings.ShortName);
        using WeightFile plain = WeightFile.Open(Repository.Fixture("torchscale_base", "state_dict.pt"));
        Assert.Null(plain.OpenSettings());
    }

    [Fact]
    public void Settings_MayBeANamespace()
    {
        TestPickle pickle = new TestPickle().Raw("}(").Text("args").Global("argparse", "Namespace").Raw(")\u0081}(")
            .Text("decoder_layers").Number(7).Text("dropout").Raw("G").Raw(0x3F, 0xE0, 0, 0, 0, 0, 0, 0).Text("clip").Raw("G").Raw(0x7F, 0xF0, 0, 0, 0, 0, 0, 0)
            .Text("data").Raw("]").Text("seed").Raw(0x8A, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9).Text("none").Raw("N").Raw("ub")
            .Text("model").Raw("}").Text("decoder.w").Tensor(Six, [6], [1]).Raw("su");
        using WeightFile file = WeightFile.Open(pickle.Save(Case));
        using JsonFile settings = file.OpenSettings()!;

        Assert.Equal("'args'", settings.ShortName);
        Assert.Equal(["decoder_layers", "dropout"], settings.Root.EnumerateObject().Select(entry => entry.Name));
        Assert.Equal((7, 0.5), (settings.GetInt32("decoder_layers", 0), settings.GetDouble("dropout", 0)));
        Assert.Equal(["decoder.w"], file.Tensors.Keys);
    }

    [Theory]
    [InlineData(new long[] { 2, 3 }, new long[] { 3, 1 }, new float[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(new long[] { 3, 2 }, new long[] { 1, 3 }, new float[] { 0, 3, 1, 4, 2, 5 })]
    [InlineData(new long[] { 2, 2 }, new long[] { 3, 2 }, new float[] { 0, 2, 3, 5 })]
    [InlineData(new long[] { 3, 1, 1 }, new long[] { 2, 77, 1 }, new float[] { 0, 2, 4 })]
    [InlineData(new long[] { }, new long[] { }, new float[] { 0 })]
    [InlineData(new long[] { 0, 3 }, new long[] { 3, 1 }, new float[] { })]
    public void Strides_AreFollowed(long[] sizes, long[] strides, float[] expected)
    {
        using WeightFile file = WeightFile.Open(new TestPickle().Raw("}").Text("w").Tensor(Six, sizes, strides).Raw("s").Save(Case));
        CheckpointTensor tensor = file.Tensors["w"];

        for (int first = 0; first <= expected.Length; first++)
        {
            var values = new float[expected.Length - first];
            tensor.Read(first, values);
            Assert.Equal(expected[first..], values);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Read(expected.Length, new float[1]));
    }

    [Theory]
    [InlineData("HalfStorage", "F16", 2)]
    [InlineData("BFloat16Storage", "BF16", 2)]
    [InlineData("DoubleStorage", "F64", 8)]
    [InlineData("LongStorage", "I64", 8)]
    [InlineData("BoolStorage", "BOOL", 1)]
    public void EveryStorage_HasItsType(string storage, string dataType, int bytes)
    {
        using WeightFile file = WeightFile.Open(new TestPickle().Raw("}").Text("w").Tensor(storage, new byte[3 * bytes], 3, 1, [2], [1]).Raw("s").Save(Case));
        Assert.Equal((dataType, 2 * bytes), (file.Tensors["w"].DataType, file.Tensors["w"].Bytes));
    }

    [Fact]
    public void AnOrderedStateDictWithMetadataAndParameters_IsRead()
    {
        TestPickle pickle = new TestPickle().Global("collections", "OrderedDict").Raw(")R(").Text("w")
            .Global("torch._utils", "_rebuild_parameter").Raw("(").Tensor(Six, [2, 3], [3, 1]).Raw(0x88).Global("collections", "OrderedDict").Raw(")RtR")
            .Text("note").Text("no tensor").Number(3).Text("key that is no text").Raw("u}").Text("_metadata").Global("collections", "OrderedDict").Raw(")Rsb");
        using WeightFile file = WeightFile.Open(pickle.Save(Case));
        Assert.Equal(["w"], file.Tensors.Keys);
    }

    [Fact]
    public void Protocol4_IsRead()
    {
        // SHORT_BINUNICODE, MEMOIZE, STACK_GLOBAL, FRAME and a set, which protocol 2 does not have.
        TestPickle pickle = new TestPickle(4).Raw(0x95, 0, 0, 0, 0, 0, 0, 0, 0).Raw("}").Raw(0x94).Raw("(").Raw(0x8C, 1).Raw("w").Raw(0x94)
            .Tensor(Six, [6], [1]).Raw(0x8C, 1).Raw("s").Raw(0x8F).Raw("(").Number(1).Raw(0x90).Raw(0x8C, 1).Raw("o")
            .Raw(0x8C, 11).Raw("collections").Raw(0x8C, 11).Raw("OrderedDict").Raw(0x93).Raw(")R").Raw("u");
        using WeightFile file = WeightFile.Open(pickle.Save(Case));
        Assert.Equal(["w"], file.Tensors.Keys);
    }

    [Theory]
    [InlineData("cos\nsystem\n(X\u0009\0\0\0touch /xxtR", "contains the Python object os.system, which is not a tensor or plain value")]
    [InlineData("c__builtin__\neval\n(X\u0001\0\0\01tR", "__builtin__.eval")]
    [InlineData("ctorch\nload\n)R", "torch.load")]
    [InlineData("cmymodel\nRetNet\n)\u0081}b", "mymodel.RetNet")]
    [InlineData("ccollections\nOrderedDict\nX\u0001\0\0\0x\u0085R", "collections.OrderedDict(a string)")]
    [InlineData("cargparse\nNamespace\n)\u0081]b", "state of a dict")]
    [InlineData("]}b", "state of a list")]
    [InlineData("(ios\nsystem\n", "pickle opcode 0x69")]
    [InlineData("}(X\u0005\0\0\0otherctorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0001tQ", "no tensor storage")]
    [InlineData("K\u0001Q", "no tensor storage")]
    [InlineData("X\u00ff\u00ff\u00ff\u007f", "ends too early")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ff", "ends too early")]
    [InlineData("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "ends too early")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u007f", "ends too early")]
    [InlineData("cos", "ends too early")]
    [InlineData("h\u0007", "damaged pickle")]
    [InlineData("0", "damaged pickle")]
    [InlineData("t", "damaged pickle")]
    [InlineData("(0", "damaged pickle")]
    [InlineData("K\u0001K\u0001a", "damaged pickle")]
    [InlineData("}K\u0001K\u0001K\u0001u", "damaged pickle")]
    [InlineData("K\u0001)R", "damaged pickle")]
    [InlineData("K\u0001", "no state dict")]
    [InlineData("}", "no tensors by name")]
    [InlineData("}q\0X\u0005\0\0\0modelh\0s", "no tensors by name")]
    [InlineData("]q\0h\0a", "no state dict")]
    [InlineData("\u0080\u0009}", "protocol 9")]
    public void HostilePickles_AreRefusedInOneLine(string pickle, string expected)
    {
        string message = Refusal(new TestPickle().Raw(pickle));
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("(", 2000, "nests deeper than 1024")]
    [InlineData("]", 5_000_000, "more than 4194304 values")]
    [InlineData("}", 17_000_000, "has a pickle of 17000003 bytes")]
    [InlineData("]2a", 1_000_000, "no state dict")]
    public void BombsAreBounded(string opcodes, int times, string expected) =>
        Assert.Contains(expected, Refusal(new TestPickle().Raw(string.Concat(Enumerable.Repeat(opcodes, times)))));

    [Theory]
    [InlineData(6, 0, new long[] { 7 }, new long[] { 1 })]
    [InlineData(6, 1, new long[] { 6 }, new long[] { 1 })]
    [InlineData(6, -1, new long[] { 2 }, new long[] { 1 })]
    [InlineData(6, 0, new long[] { -1 }, new long[] { 1 })]
    [InlineData(6, 0, new long[] { 3, 2 }, new long[] { -1, 1 })]
    [InlineData(6, 0, new long[] { 3, 2 }, new long[] { 1 })]
    [InlineData(6, 0, new long[] { 2, 3 }, new long[] { 4, 1 })]
    [InlineData(6, 0, new long[] { 1000, 1000 }, new long[] { 0, 0 })]
    [InlineData(6, 0, new long[] { int.MaxValue, int.MaxValue, int.MaxValue }, new long[] { 0, 0, int.MaxValue })]
    [InlineData(7, 0, new long[] { 6 }, new long[] { 1 })]
    public void TensorsOutsideTheirStorage_AreRefused(int elements, int start, long[] sizes, long[] strides)
    {
        string message = Refusal(new TestPickle().Raw("}").Text("w").Tensor("FloatStorage", new byte[24], elements, start, sizes, strides).Raw("s"));
        Assert.Contains("tensor 'w'", message);
    }

    [Fact]
    public void ArchivesOfAnotherKind_AreNamed()
    {
        Assert.Contains("compressed or encrypted", Assert.Throws<ConverterException>(
            () => WeightFile.Open(new TestPickle().Raw(new string('N', 999)).Raw("}").Save(Case, CompressionLevel.Optimal))).Message);
        Assert.Contains("zip archive without data.pkl", RefusedArchive("archive/other"));
        Assert.Contains("TorchScript", RefusedArchive("archive/data.pkl", "archive/constants.pkl"));
        Assert.Contains("big-endian", RefusedArchive("archive/data.pkl", "archive/byteorder"));
        File.WriteAllBytes(Case, [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E, 0x80]);
        Assert.Contains("before 1.6; load it and save it again with torch.save", Assert.Throws<ConverterException>(() => WeightFile.Open(Case)).Message);
    }

    [Fact]
    public void TruncatedAndDamagedArchives_AreRefusedEverywhere()
    {
        byte[] whole = File.ReadAllBytes(new TestPickle().Raw("}").Text("w").Tensor(Six, [6], [1]).Raw("s").Save(Case));
        var random = new Random(3);
        for (int length = 4; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(Case, whole[..length]);
            Assert.Throws<ConverterException>(() => WeightFile.Open(Case));
        }

        for (int i = 0; i < 2000; i++)
        {
            byte[] damaged = [.. whole];
            for (int j = 0; j < 3; j++)
                damaged[random.Next(4, whole.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(Case, damaged);
            // A changed byte of the data is no damage that shows; anything else must be told in this way.
            if (Record.Exception(() => WeightFile.Open(Case).Dispose()) is { } error)
                Assert.IsType<ConverterException>(error);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5L << 30)]
    public void AZip64Archive_IsRead(long shift)
    {
        // An archive moved into a sparse file, all numbers of its directory in their 64-bit places.
        byte[] whole = File.ReadAllBytes(new TestPickle().Raw("}").Text("w").Tensor(Six, [6], [1]).Raw("s").Save(Case));
        int end = whole.AsSpan().LastIndexOf("PK\x5\x6"u8);
        int directory = BinaryPrimitives.ReadInt32LittleEndian(whole.AsSpan(end + 16));
        byte[] count = BitConverter.GetBytes((long)BinaryPrimitives.ReadUInt16LittleEndian(whole.AsSpan(end + 10)));
        using (FileStream wide = File.Create(Case))
        {
            wide.Write("PK\x3\x4"u8);
            wide.Position = shift;
            wide.Write(whole.AsSpan(0, directory));
            for (int at = directory; at < end;)
                at += WriteWide(wide, whole.AsSpan(at), shift);
            byte[] endAt = BitConverter.GetBytes(wide.Position);
            wide.Write([.. "PK\x6\x6"u8, .. BitConverter.GetBytes(44L), 45, 0, 45, 0, .. new byte[8], .. count, .. count, .. new byte[8], .. BitConverter.GetBytes(shift + directory)]);
            wide.Write([.. "PK\x6\x7"u8, .. new byte[4], .. endAt, 1, 0, 0, 0]);
            wide.Write([.. "PK\x5\x6"u8, .. new byte[4], .. Enumerable.Repeat((byte)0xFF, 12), 0, 0]);
        }

        using WeightFile file = WeightFile.Open(Case);
        var values = new float[6];
        file.Tensors["w"].Read(0, values);
        Assert.Equal(Six, values);
    }

    /// <summary>Writes a directory entry with its numbers in a zip64 field and gives its length in the source.</summary>
    private static int WriteWide(FileStream target, ReadOnlySpan<byte> entry, long shift)
    {
        int name = BinaryPrimitives.ReadUInt16LittleEndian(entry[28..]);
        byte[] header = entry[..46].ToArray();
        byte[] field = [1, 0, 24, 0,
            .. BitConverter.GetBytes((long)BinaryPrimitives.ReadUInt32LittleEndian(entry[24..])),
            .. BitConverter.GetBytes((long)BinaryPrimitives.ReadUInt32LittleEndian(entry[20..])),
            .. BitConverter.GetBytes(BinaryPrimitives.ReadUInt32LittleEndian(entry[42..]) + shift)];
        header.AsSpan(20, 8).Fill(0xFF);
        header.AsSpan(42, 4).Fill(0xFF);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(30), (ushort)field.Length);
        target.Write([.. header, .. entry.Slice(46, name), .. field]);
        return 46 + name + BinaryPrimitives.ReadUInt16LittleEndian(entry[30..]) + BinaryPrimitives.ReadUInt16LittleEndian(entry[32..]);
    }

    private string RefusedArchive(params string[] names)
    {
        File.Delete(Case);
        using (ZipArchive zip = ZipFile.Open(Case, ZipArchiveMode.Create))
        {
            foreach (string name in names)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write("big"u8);
            }
        }

        return Assert.Throws<ConverterException>(() => WeightFile.Open(Case)).Message;
    }

    private string Refusal(TestPickle pickle)
    {
        File.Delete(Case);
        return Assert.Throws<ConverterException>(() => WeightFile.Open(pickle.Save(Case))).Message;
    }
}
