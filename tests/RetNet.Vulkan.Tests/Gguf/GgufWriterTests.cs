using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Tests.Gguf;

public sealed class GgufWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bytes_AreTheFormatsOwn()
    {
        string path = _folder.File("a.gguf");
        using (GgufWriter writer = GgufWriter.Create(path))
        {
            writer.Add("k", "v");
            writer.Write(writer.AddTensor("t", BlockType.Of(GgmlType.F16), 3), [1, 2, 3, 4, 5, 6]);
            writer.Complete();
        }

        byte[] expected = GgufBytes.Header(1, 1).Entry("k", 8).String("v").Tensor("t", [3], 1, 0)
            .Data(0).Raw([1, 2, 3, 4, 5, 6]).Data(0).ToArray();
        Assert.Equal(expected, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void WithoutComplete_TheOldFileStaysAndNothingElse()
    {
        string path = _folder.File("a.gguf");
        File.WriteAllText(path, "old");
        using (GgufWriter writer = GgufWriter.Create(path))
            writer.Write(writer.AddTensor("t", BlockType.Of(GgmlType.F32), 100_000), new byte[4]);

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Complete_ReplacesTheOldFile()
    {
        string path = _folder.File("a.gguf");
        File.WriteAllText(path, "old");
        using (GgufWriter writer = GgufWriter.Create(path))
            writer.Complete();

        GgufFile.Open(path).Dispose();
    }

    [Fact]
    public void DataOutOfTurnOrMeasure_IsRefused()
    {
        using GgufWriter writer = GgufWriter.Create(_folder.File("a.gguf"));
        GgufTensor first = writer.AddTensor("first", BlockType.Of(GgmlType.F32), 2);
        GgufTensor second = writer.AddTensor("second", BlockType.Of(GgmlType.F32), 2);

        Assert.Throws<InvalidOperationException>(() => writer.Write(second, new byte[8]));
        Assert.Throws<InvalidOperationException>(() => writer.Write(first, new byte[9]));
        writer.Write(first, new byte[5]);
        Assert.Throws<InvalidOperationException>(() => writer.Write(first, new byte[4]));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.Add("late", true));
        writer.Write(first, new byte[3]);
        writer.Write(second, new byte[8]);
        writer.Complete();
    }

    [Fact]
    public void NamesAndShapes_AreChecked()
    {
        using GgufWriter writer = GgufWriter.Create(_folder.File("a.gguf"));
        writer.Add("k", 1u);
        writer.AddTensor("t", BlockType.Of(GgmlType.F32), 2);

        Assert.Throws<ArgumentException>(() => writer.Add("k", true));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("t", BlockType.Of(GgmlType.F32), 2));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("u", BlockType.Of(GgmlType.F32), 2, 0));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("v", BlockType.Of(GgmlType.F32)));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("w", BlockType.Of(GgmlType.Q8_0), 60));
    }

    [Fact]
    public void Values_OfEveryTypeComeBack()
    {
        object[] values =
        [
            (byte)1, (sbyte)-1, (ushort)2, (short)-2, 3u, -3, 4ul, -4L, 0.5f, -0.25, true, "märchen",
            new byte[] { 1, 2 }, new[] { true, false }, new[] { "a", "" }, new long[] { 1, -1 }, Array.Empty<float>(),
            new Array[] { new[] { 1, 2, 3 }, new Array[] { new[] { "x" } } },
        ];
        string path = _folder.File("a.gguf");
        using (GgufWriter writer = GgufWriter.Create(path))
        {
            for (int i = 0; i < values.Length; i++)
                writer.AddValue($"k{i}", values[i]);
            Assert.Throws<ArgumentException>(() => writer.AddValue("decimal", 1m));
            writer.Complete();
        }

        using GgufFile file = GgufFile.Open(path);
        Assert.Equal(values, file.Metadata.Values);
        Assert.Equal(values.Select(value => value.GetType()), file.Metadata.Values.Select(value => value.GetType()));
    }

    [Fact]
    public void AMissingFolder_IsNamed()
    {
        string path = Path.Combine(_folder.Path, "none", "a.gguf");
        Assert.Contains("folder does not exist", Assert.Throws<GgufException>(() => GgufWriter.Create(path)).Message);
        Assert.Contains("is a directory", Assert.Throws<GgufException>(() => GgufWriter.Create(_folder.Path)).Message);
    }
}
