using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter.Tests;

public sealed class CheckpointConverterTests : IDisposable
{
    private readonly TemporaryFolder _source = new();
    private readonly TemporaryFolder _target = new();

    private string Output => _target.File("model.gguf");

    public void Dispose()
    {
        _source.Dispose();
        _target.Dispose();
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void F32_KeepsEveryBit(string fixture)
    {
        ConversionSummary summary = Convert(Repository.Fixture(fixture), "f32");
        TestCheckpoint checkpoint = TestCheckpoint.Load(fixture);
        using GgufFile file = GgufFile.Open(Output);
        RetNetConfig config = RetNetGguf.ReadConfig(file);
        TensorShapes.Validate(file, config);

        Assert.Equal(fixture, config.Name);
        Assert.Equal(0u, file.GetUInt32("general.file_type"));
        Assert.Equal(checkpoint.Tensors.Count(t => !t.Key.StartsWith("retnet_rel_pos", StringComparison.Ordinal)), file.Tensors.Count);
        Assert.Equal(checkpoint.Tensors["layers.0.ffn.fc1.weight"].Data, Bytes(file, "blk.0.ffn_gate.weight"));
        Assert.Equal(checkpoint.Tensors["layers.1.retention.out_proj.weight"].Data, Bytes(file, "blk.1.attn_output.weight"));
        Assert.Equal(checkpoint.Tensors["embed_tokens.weight"].Data, Bytes(file, "token_embd.weight"));
        Assert.Equal(file.Tensors.Values.Sum(tensor => tensor.Elements), summary.Parameters);
        Assert.Empty(summary.Kept);
        Assert.False(summary.HasTokenizer);
    }

    [Theory]
    [InlineData("model.bf16.safetensors", "bf16")]
    [InlineData("model.fp16.safetensors", "f16")]
    public void HalfPrecisionSources_GiveTheMatricesThatTheFullOneGives(string name, string type)
    {
        Convert(Repository.Fixture("torchscale_base", name), type);
        byte[] fromHalf = MatrixBytes(Output);
        Convert(Repository.Fixture("torchscale_base"), type);
        Assert.Equal(fromHalf, MatrixBytes(Output));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Shards_GiveWhatOneFileGives(int shards)
    {
        Convert(Repository.Fixture("torchscale_base"), "q8_0", "same");
        byte[] whole = File.ReadAllBytes(Output);
        TestCheckpoint.Load("torchscale_base").SaveSharded(_source.Path, shards);

        ConversionSummary summary = Convert(_source.Path, "q8_0", "same");

        Assert.Equal(whole, File.ReadAllBytes(Output));
        Assert.Equal(Directory.GetFiles(_source.Path, "*.safetensors").Sum(path => new FileInfo(path).Length), summary.SourceBytes);
    }

    [Theory]
    [InlineData("torchscale_base", "state_dict.pt")]
    [InlineData("torchscale_base", "checkpoint_fairseq.pt")]
    [InlineData("torchscale_deepnorm", "checkpoint_fairseq.pt")]
    [InlineData("torchscale_tied_scaled", "state_dict.pt")]
    [InlineData("syncdoth_glu", "pytorch_model.bin")]
    [InlineData("syncdoth_ffn", "pytorch_model.bin")]
    public void EveryContainer_GivesTheSameFile(string fixture, string file)
    {
        Convert(Repository.Fixture(fixture), "f16", "same");
        byte[] expected = File.ReadAllBytes(Output);
        ConversionSummary summary = Convert(Repository.Fixture(fixture, file), "f16", "same");

        Assert.Equal(expected, File.ReadAllBytes(Output));
        Assert.Equal(new FileInfo(Repository.Fixture(fixture, file)).Length, summary.SourceBytes);
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_deepnorm")]
    public void AFairseqCheckpoint_NeedsNoConfigJson(string fixture)
    {
        Convert(Repository.Fixture(fixture), "f32", "same");
        byte[] expected = File.ReadAllBytes(Output);
        File.Copy(Repository.Fixture(fixture, "checkpoint_fairseq.pt"), _source.File("checkpoint_last.pt"));

        Convert(_source.Path, "f32", "same");

        Assert.Equal(expected, File.ReadAllBytes(Output));
    }

    [Fact]
    public void TorchShards_GiveWhatOneFileGives()
    {
        Convert(Repository.Fixture("torchscale_base"), "q8_0", "same");
        byte[] whole = File.ReadAllBytes(Output);
        TestCheckpoint.Load("torchscale_base").SaveTorchShards(_source.Path, 3);

        Convert(_source.Path, "q8_0", "same");

        Assert.Equal(whole, File.ReadAllBytes(Output));
    }

    [Fact]
    public void Q8_0_HasGgmlsSizesAndNamesWhatStaysF16()
    {
        // Rows of 64 are two blocks; rows of 108 are none.
        ConversionSummary summary = Convert(Repository.Fixture("torchscale_tied_scaled"), "q8_0");
        using GgufFile file = GgufFile.Open(Output);

        Assert.Equal(7u, file.GetUInt32("general.file_type"));
        Assert.Equal(2u, file.GetUInt32("general.quantization_version"));
        Assert.Equal(131 * 2 * 34, file.GetTensor("token_embd.weight").Bytes);
        Assert.Equal("f16", file.GetTensor("blk.0.ffn_down.weight").Type.Name);
        Assert.Equal("f32", file.GetTensor("blk.0.ffn_norm.weight").Type.Name);
        Assert.Equal(
            ["blk.0.attn_output.weight", "blk.0.ffn_down.weight", "blk.1.attn_output.weight", "blk.1.ffn_down.weight", "blk.2.attn_output.weight", "blk.2.ffn_down.weight"],
            summary.Kept.Select(kept => kept.Tensor));
        Assert.Contains("rows of 108", summary.Kept[0].Reason);
        Assert.Equal(file.Tensors.Values.Sum(tensor => tensor.Bytes), summary.Types.Sum(total => total.Bytes));
        Assert.Equal(["q8_0", "f16", "f32"], summary.Types.Select(total => total.Type.Name));
        Assert.Equal(new FileInfo(Output).Length, summary.OutputBytes);
    }

    [Theory]
    [InlineData("q4_0", 2u)]
    [InlineData("iq4_nl", 25u)]
    public void FourBitTypes_KeepTheVocabularyAtQ8_0(string type, uint fileType)
    {
        ConversionSummary summary = Convert(Repository.Fixture("torchscale_deepnorm"), type);
        using GgufFile file = GgufFile.Open(Output);

        Assert.Equal(fileType, file.GetUInt32("general.file_type"));
        Assert.Equal(type, file.GetTensor("blk.0.attn_v.weight").Type.Name);
        Assert.Equal("q8_0", file.GetTensor("token_embd.weight").Type.Name);
        Assert.Equal("q8_0", file.GetTensor("output.weight").Type.Name);
        Assert.Equal(64 * 18, file.GetTensor("blk.0.attn_v.weight").Bytes);
        Assert.Equal(["token_embd.weight", "output.weight"], summary.Kept.Select(kept => kept.Tensor));
    }

    [Theory]
    [InlineData("q8_0", 0.5f / 127)]
    [InlineData("q4_0", 1f / 8)]
    [InlineData("iq4_nl", 1f / 7)] // half the widest gap of the codebook, 23 of 127, and what the search clips
    public void QuantizedRows_StayWithinTheirStep(string type, float step)
    {
        Convert(Repository.Fixture("torchscale_deepnorm"), type);
        float tolerance = step + 1f / 2048; // the step, and the rounding of the scale to f16
        float[] expected = TestCheckpoint.Load("torchscale_deepnorm").Values("layers.0.ffn.gate.weight").ToArray();
        var actual = new float[expected.Length];
        using GgufFile file = GgufFile.Open(Output);
        file.GetTensor("blk.0.ffn_up.weight").Type.Dequantize(Bytes(file, "blk.0.ffn_up.weight"), actual);

        for (int block = 0; block < expected.Length; block += 32)
        {
            float amax = expected[block..(block + 32)].Max(MathF.Abs);
            for (int i = block; i < block + 32; i++)
                Assert.InRange(actual[i], expected[i] - amax * tolerance, expected[i] + amax * tolerance);
        }
    }

    [Fact]
    public void ATensorOfSeveralPieces_IsWhole()
    {
        // 50,001 rows of 48 × 4 bytes are 9.6 MB, more than one piece.
        const int rows = 50_001;
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config["vocab_size"] = rows;
        checkpoint.Tensors["output_projection.weight"] = ("F32", [rows, 48], new byte[rows * 48 * 4]);
        checkpoint.Tensors["embed_tokens.weight"] = ("F32", [rows, 48], new byte[rows * 48 * 4]);
        Span<float> embedding = checkpoint.Values("embed_tokens.weight");
        for (int i = 0; i < embedding.Length; i++)
            embedding[i] = i;
        checkpoint.Save(_source.Path);

        Convert(_source.Path, "f32");
        using (GgufFile file = GgufFile.Open(Output))
            Assert.True(Bytes(file, "token_embd.weight").AsSpan().SequenceEqual(checkpoint.Tensors["embed_tokens.weight"].Data));

        checkpoint.Values("output_projection.weight")[49_000 * 48 + 47] = float.NaN;
        checkpoint.Save(_source.Path);
        Assert.Contains("'output_projection.weight' holds NaN in row 49000;", Refusal("f32"));
    }

    [Fact]
    public void NotANumber_NamesTensorAndRow()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Values("layers.1.ffn.fc2.weight")[72 * 5 + 3] = float.NaN;
        checkpoint.Values("layers.1.ffn.fc2.weight")[72 * 40] = float.PositiveInfinity;
        checkpoint.Save(_source.Path);

        Assert.Contains("'layers.1.ffn.fc2.weight' holds NaN in row 5;", Refusal("f32"));
        Assert.Empty(Directory.GetFiles(_target.Path));
    }

    [Theory]
    [InlineData("f16", 65519f, 65520f)]
    [InlineData("q8_0", 65519f * 127, 65521f * 127)]
    [InlineData("q4_0", 65519f * 8, 65521f * 8)]
    [InlineData("iq4_nl", 65519f * 100, 65521f * 100)]
    [InlineData("bf16", 3.39e38f, float.MaxValue)]
    public void ValuesThatTheTypeCannotHold_AreRefused(string type, float largest, float tooLarge)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_deepnorm");
        checkpoint.Values("layers.0.retention.q_proj.weight")[32 * 7] = -largest;
        checkpoint.Save(_source.Path);
        Convert(_source.Path, type);

        checkpoint.Values("layers.0.retention.q_proj.weight")[32 * 7] = tooLarge;
        checkpoint.Save(_source.Path);
        string message = Refusal(type);
        Assert.Contains("'layers.0.retention.q_proj.weight'", message);
        Assert.Contains($"in row 7, too large for {type}", message);
        Convert(_source.Path, "f32");
    }

    [Fact]
    public void Progress_RisesToTheEnd()
    {
        var reports = new List<ConversionProgress>();
        ConversionSummary summary = CheckpointConverter.Convert(
            Repository.Fixture("torchscale_base"), Output, BlockType.Find("f16")!, progress: new Recorder(reports));

        Assert.Equal(reports.OrderBy(report => report.BytesDone), reports);
        Assert.Equal((summary.Tensors, summary.Tensors), (reports[^1].TensorsDone, reports[^1].Tensors));
        Assert.Equal(reports[^1].Bytes, reports[^1].BytesDone);
        Assert.Equal("token_embd.weight", reports[0].Tensor);
    }

    [Fact]
    public void Cancelled_LeavesNothingBehind()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => CheckpointConverter.Convert(
            Repository.Fixture("torchscale_base"), Output, BlockType.Find("f16")!, progress: new Canceller(cancellation), cancellation: cancellation.Token));
        Assert.Empty(Directory.GetFiles(_target.Path));
    }

    [Fact]
    public void TheCheckpointItself_IsNotOverwritten()
    {
        TestCheckpoint.Load("torchscale_base").Save(_source.Path);
        string weights = _source.File("model.safetensors");
        byte[] before = File.ReadAllBytes(weights);
        File.CreateSymbolicLink(_target.File("link.gguf"), weights);

        foreach (string output in new[] { weights, Path.Combine(_source.Path, ".", "model.safetensors"), _target.File("link.gguf") })
        {
            Assert.Contains("file of the source itself", Assert.Throws<ConverterException>(
                () => CheckpointConverter.Convert(_source.Path, output, BlockType.Find("f16")!)).Message);
        }

        Assert.Equal(before, File.ReadAllBytes(weights));
    }

    [Fact]
    public void AMissingTargetFolder_IsNamed()
    {
        string output = Path.Combine(_target.Path, "none", "model.gguf");
        string message = Assert.Throws<GgufException>(() => CheckpointConverter.Convert(Repository.Fixture("torchscale_base"), output, BlockType.Find("f16")!)).Message;
        Assert.Contains("folder does not exist", message);
    }

    private static byte[] Bytes(GgufFile file, string tensor) => file.Rows(file.GetTensor(tensor), 0, (int)file.GetTensor(tensor).Rows).ToArray();

    private static byte[] MatrixBytes(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return [.. file.Tensors.Values.Where(tensor => tensor.Rows > 1).SelectMany(tensor => Bytes(file, tensor.Name))];
    }

    private ConversionSummary Convert(string from, string type, string? name = null) =>
        CheckpointConverter.Convert(from, Output, BlockType.Find(type)!, name);

    private string Refusal(string type) => Assert.Throws<ConverterException>(() => Convert(_source.Path, type)).Message;

    private sealed class Recorder(List<ConversionProgress> reports) : IProgress<ConversionProgress>
    {
        public void Report(ConversionProgress value) => reports.Add(value);
    }

    private sealed class Canceller(CancellationTokenSource cancellation) : IProgress<ConversionProgress>
    {
        public void Report(ConversionProgress value) => cancellation.Cancel();
    }
}
