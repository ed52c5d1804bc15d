using System.Text;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter.Tests;

/// <summary>Conversion of model files that are GGUF already.</summary>
public sealed class GgufSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Source => _folder.File("source.gguf");

    private string Output => _folder.File("model.gguf");

    public void Dispose() => _folder.Dispose();

    // deepnorm has whole blocks, tied_scaled rows of 108 that stay f16.
    [Theory]
    [InlineData("torchscale_deepnorm", "f32", "q8_0")]
    [InlineData("torchscale_deepnorm", "f32", "iq4_nl")]
    [InlineData("torchscale_tied_scaled", "f32", "iq4_nl")]
    [InlineData("torchscale_tied_scaled", "f32", "bf16")]
    [InlineData("torchscale_base", "f16", "f16")]
    public void AModelFile_GivesWhatItsCheckpointGives(string fixture, string through, string type)
    {
        Convert(Repository.Fixture(fixture), Source, through);
        ConversionSummary expected = Convert(Repository.Fixture(fixture), _folder.File("expected.gguf"), type);

        ConversionSummary summary = Convert(Source, Output, type);

        Assert.Equal(File.ReadAllBytes(_folder.File("expected.gguf")), File.ReadAllBytes(Output));
        Assert.Equal(expected.Types, summary.Types);
        Assert.Equal(expected.Kept, summary.Kept);
        Assert.Equal(new FileInfo(Source).Length, summary.SourceBytes);
    }

    [Theory]
    [InlineData("f16")]
    [InlineData("bf16")]
    public void HalfPrecision_IsQuantisedFromItsOwnValues(string through)
    {
        Convert(Repository.Fixture("torchscale_deepnorm"), Source, through);
        Convert(Source, Output, "iq4_nl");
        using GgufFile source = GgufFile.Open(Source);
        using GgufFile file = GgufFile.Open(Output);

        Assert.Equal(25u, file.GetUInt32("general.file_type"));
        foreach (GgufTensor tensor in file.Tensors.Values)
        {
            var values = new float[tensor.Elements];
            var expected = new byte[tensor.Bytes];
            GgufTensor original = source.GetTensor(tensor.Name);
            original.Type.Dequantize(source.Rows(original, 0, (int)original.Rows), values);
            tensor.Type.Quantize(values, expected);
            Assert.Equal(expected, file.Rows(tensor, 0, (int)tensor.Rows).ToArray());
        }
    }

    [Fact]
    public void Metadata_AreKeptAndTheNameCanChange()
    {
        Model().Write(Source, GgmlType.F32, writer =>
        {
            writer.Add("general.name", "old");
            writer.Add("general.file_type", 0u);
            writer.Add("general.alignment", 32u);
            writer.Add("general.license", "MIT");
            writer.AddValue("general.tags", new[] { "tales", "märchen" });
            writer.AddValue("other.numbers", new[] { 1.5, -2 });
            writer.Add("tokenizer.huggingface.json", "{}");
        });

        ConversionSummary kept = Convert(Source, Output, "q8_0");
        using (GgufFile file = GgufFile.Open(Output))
        {
            Assert.Equal("old", file.GetString("general.name"));
            Assert.Equal(7u, file.GetUInt32("general.file_type"));
            Assert.False(file.Metadata.ContainsKey("general.alignment"));
            Assert.Equal("MIT", file.GetString("general.license"));
            Assert.Equal(["tales", "märchen"], file.GetArray<string>("general.tags"));
            Assert.Equal([1.5, -2], file.GetArray<double>("other.numbers"));
            Assert.Equal(Model().Config.Decay, RetNetGguf.ReadConfig(file).Decay);
        }

        Assert.True(kept.HasTokenizer);
        Assert.Equal("new", CheckpointConverter.Convert(Source, Output, BlockType.Find("q8_0")!, "new").Config.Name);
        using (GgufFile file = GgufFile.Open(Output))
            Assert.Equal("new", file.GetString("general.name"));
    }

    [Fact]
    public void AModelWithoutName_IsCalledAsItsFile()
    {
        Model().Write(Source, GgmlType.F16);
        ConversionSummary summary = Convert(Source, Output, "iq4_nl");
        Assert.Equal("source", summary.Config.Name);
        Assert.False(summary.HasTokenizer);
    }

    [Theory]
    [InlineData(GgmlType.Q8_0, "iq4_nl")]
    [InlineData(GgmlType.Q8_0, "q8_0")]
    [InlineData(GgmlType.Q4_0, "f16")]
    [InlineData(GgmlType.IQ4_NL, "q8_0")]
    public void AQuantisedFile_IsRefused(GgmlType from, string to)
    {
        Model().Write(Source, from);
        string message = Assert.Throws<ConverterException>(() => Convert(Source, Output, to)).Message;
        Assert.Contains($"{Source}: is quantised already (tensor 'token_embd.weight' is {BlockType.Of(from)})", message);
        Assert.Contains("convert the checkpoint, or a file in f32, f16 or bf16", message);
        Assert.Equal([Source], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void AFileOfAnyName_IsKnownByItsStart()
    {
        Model().Write(_folder.File("weights"), GgmlType.F32);
        Convert(_folder.File("weights"), Output, "q4_0");
        using GgufFile file = GgufFile.Open(Output);
        Assert.Equal("q4_0", file.GetTensor("blk.0.attn_q.weight").Type.Name);
    }

    [Fact]
    public void DamagedAndForeignFiles_AreRefused()
    {
        Model().Write(Source, GgmlType.F32);
        File.WriteAllBytes(_folder.File("short.gguf"), File.ReadAllBytes(Source)[..^1]);
        File.WriteAllBytes(_folder.File("text.gguf"), Encoding.ASCII.GetBytes("just text"));
        using (GgufWriter writer = GgufWriter.Create(_folder.File("llama.gguf")))
        {
            writer.Add("general.architecture", "llama");
            writer.Complete();
        }

        Assert.Contains("truncated", Assert.Throws<GgufException>(() => Convert(_folder.File("short.gguf"), Output, "q8_0")).Message);
        Assert.Contains("is not a GGUF file", Assert.Throws<GgufException>(() => Convert(_folder.File("text.gguf"), Output, "q8_0")).Message);
        Assert.Contains("is a 'llama' model", Assert.Throws<GgufException>(() => Convert(_folder.File("llama.gguf"), Output, "q8_0")).Message);
        Assert.False(File.Exists(Output));
    }

    [Fact]
    public void TheSourceItself_IsNotOverwritten()
    {
        Model().Write(Source, GgmlType.F32);
        byte[] before = File.ReadAllBytes(Source);
        Assert.Contains("file of the source itself", Assert.Throws<ConverterException>(() => Convert(Source, Source, "q8_0")).Message);
        Assert.Equal(before, File.ReadAllBytes(Source));
    }

    private static RandomModel Model() => new(RandomModel.Shape(1, 32, 2, 8, 16, 64, 40), seed: 3, _ => false);

    // One name, so that files from different sources can be equal.
    private static ConversionSummary Convert(string from, string to, string type) =>
        CheckpointConverter.Convert(from, to, BlockType.Find(type)!, Path.GetExtension(from) == ".gguf" ? null : "fixture");
}
