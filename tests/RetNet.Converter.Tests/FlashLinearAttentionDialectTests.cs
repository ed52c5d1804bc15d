using System.Text.Json.Nodes;
using RetNet.Vulkan.Model;

namespace RetNet.Converter.Tests;

public sealed class FlashLinearAttentionDialectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Settings_AreCanonical()
    {
        RetNetConfig config = Read(TestCheckpoint.Load("fla_gqa_tied")).Config;

        Assert.Equal((2, 64, 4, 2, 16, 32, 160, 101), (config.Layers, config.Width, config.Heads, config.KeyValueHeads, config.KeySize, config.ValueSize, config.FeedForwardSize, config.VocabularySize));
        Assert.Equal((1e-6f, 1e-6f, false, 2048), (config.NormEps, config.RetentionEps, config.RetentionEpsScaled, config.ContextLength));
        Assert.Equal((Activation.Silu, NormType.Rms, NormType.Rms, true), (config.Activation, config.NormType, config.RetentionNormType, config.OutputGate));
        Assert.Equal([0.96875f, 0.984375f, 0.9921875f, 0.99609375f], config.Decay);
        Assert.Equal(8, config.Angles.Count);
        Assert.Equal((1f, (float)Math.Pow(10000, -14.0 / 16)), (config.Angles[0], config.Angles[7]));
    }

    [Fact]
    public void HalfSplitRows_BecomeNeighbours()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_gqa_tied");
        float[] stored = checkpoint.Values("model.layers.1.attn.k_proj.weight").ToArray();
        checkpoint.Save(_folder.Path);
        using Checkpoint opened = Checkpoint.Open(_folder.Path);
        CanonicalModel model = Dialect.Read(opened);
        CheckpointTensor key = Source(model, "blk.1.attn_k.weight");

        for (int row = 0; row < 32; row++)
        {
            (int head, int i) = (row / 16, row % 16);
            int source = head * 16 + i / 2 + i % 2 * 8;
            var values = new float[64];
            key.Read(row * 64, values);
            Assert.Equal(stored[(source * 64)..(source * 64 + 64)], values);
        }

        Assert.Equal("model.layers.0.attn.v_proj.weight", Source(model, "blk.0.attn_v.weight").Name);
        Assert.DoesNotContain(model.Tensors, tensor => tensor.Shape.Name == "output.weight");
    }

    [Fact]
    public void FusedGateAndUp_ArePartedIntoWhatTheyWereMadeOf()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base");
        byte[] gate = checkpoint.Tensors["model.layers.1.mlp.gate_proj.weight"].Data;
        byte[] up = checkpoint.Tensors["model.layers.1.mlp.up_proj.weight"].Data;
        for (int i = 0; i < 2; i++)
        {
            string layer = $"model.layers.{i}.mlp.";
            (string type, _, byte[] first) = checkpoint.Tensors[layer + "gate_proj.weight"];
            checkpoint.Tensors[layer + "gate_proj.weight"] = (type, [192, 64], [.. first, .. checkpoint.Tensors[layer + "up_proj.weight"].Data]);
            checkpoint.Tensors.Remove(layer + "up_proj.weight");
        }

        checkpoint.Save(_folder.Path);
        using Checkpoint opened = Checkpoint.Open(_folder.Path);
        CanonicalModel model = Dialect.Read(opened);
        Assert.Equal(gate, Source(model, "blk.1.ffn_gate.weight").Span(0, gate.Length));
        Assert.Equal(up, Source(model, "blk.1.ffn_up.weight").Span(0, up.Length));
    }

    [Theory]
    [InlineData(false, true, "g_norm")]
    [InlineData(true, false, null)]
    public void TheHeadNorm_HasTwoNamesOrNone(bool isFused, bool isAffine, string? name)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base").Rename(tensor => tensor.Contains("g_norm", StringComparison.Ordinal)
            ? name is null ? null : tensor.Replace("g_norm_swish_gate", name, StringComparison.Ordinal)
            : tensor);
        checkpoint.Config["fuse_norm"] = isFused;
        checkpoint.Config["elementwise_affine"] = isAffine;
        CanonicalModel model = Read(checkpoint);

        Assert.Equal(isAffine ? 2 : 0, model.Tensors.Count(tensor => tensor.Shape.Name.EndsWith("attn_sub_norm.weight", StringComparison.Ordinal)));
    }

    [Fact]
    public void WithoutOutputGate_ThereIsNone()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base").Rename(name => name.Contains("g_proj", StringComparison.Ordinal)
            ? null : name.Replace("g_norm_swish_gate", "g_norm", StringComparison.Ordinal));
        checkpoint.Config["use_output_gate"] = false;
        CanonicalModel model = Read(checkpoint);

        Assert.False(model.Config.OutputGate);
        Assert.DoesNotContain(model.Tensors, tensor => tensor.Shape.Name.Contains("attn_gate", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2048, null, 2816)]
    [InlineData(64, 2, 256)]
    [InlineData(192, 4, 512)]
    public void TheFeedForwardWidth_FollowsFromTheRatio(int width, int? ratio, int expected)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base");
        checkpoint.Config["hidden_size"] = width;
        checkpoint.Config["intermediate_size"] = null;
        if (ratio is { } value)
            checkpoint.Config["hidden_ratio"] = value;
        // The shapes contradict the new width; the refusal names the one that was asked for.
        checkpoint.Rename(name => name is "model.embeddings.weight" ? null : name);
        checkpoint.Tensors["model.embeddings.weight"] = ("F32", [101, width], new byte[101 * width * 4]);
        foreach (string name in checkpoint.Tensors.Keys.Where(name => name.Contains("layers.0.attn", StringComparison.Ordinal)).ToList())
            checkpoint.Tensors[name] = Resized(name, width);
        checkpoint.Tensors["model.layers.0.mlp_norm.weight"] = ("F32", [width], new byte[width * 4]);
        Assert.Contains($"asks for [{expected}, {width}]", Refusal(checkpoint));
    }

    [Theory]
    [InlineData("attn", """{"layers": [0], "num_heads": 2}""")]
    [InlineData("attnres_block_size", "2")]
    [InlineData("feature_map", "\"relu\"")]
    [InlineData("hidden_act", "\"powlu\"")]
    [InlineData("model_type", "\"gla\"")]
    [InlineData("num_kv_heads", "3")]
    [InlineData("expand_k", "1.01")]
    [InlineData("expand_v", "1e300")]
    [InlineData("num_heads", "64")]
    [InlineData("norm_eps", "2")]
    [InlineData("hidden_size", "-64")]
    public void SettingsThatCannotBeRepresented_NameTheKey(string key, string value)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base");
        checkpoint.Config[key] = JsonNode.Parse(value);
        string message = Refusal(checkpoint);
        Assert.Contains(key == "num_heads" ? "'expand_k'" : $"'{key}'", message);
    }

    [Theory]
    [InlineData("model.layers.0.attn.q_conv1d.weight")]
    [InlineData("model.layers.1.attn_res_norm.weight")]
    [InlineData("model.layers.0.attn.q_proj.bias")]
    public void UnknownTensors_AreRefusedByName(string name)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base");
        checkpoint.Tensors[name] = ("F32", [4], new byte[16]);
        Assert.Contains($"'{name}' [4] belongs to no flash-linear-attention RetNet", Refusal(checkpoint));
    }

    [Theory]
    [InlineData("attn.q_proj")]
    [InlineData("attn.k_proj")]
    [InlineData("mlp.gate_proj")]
    public void OddShapes_AreRefusedNotReordered(string module)
    {
        foreach (long[] shape in new long[][] { [], [0], [0, 64], [64, 0], [7, 64], [64], [64, 1], [1, 64], [64, 8, 8], [33, 64] })
        {
            TestCheckpoint checkpoint = TestCheckpoint.Load("fla_base");
            string name = $"model.layers.0.{module}.weight";
            checkpoint.Rename(tensor => tensor == "model.layers.0.mlp.up_proj.weight" ? null : tensor);
            checkpoint.Tensors[name] = ("F32", shape, new byte[shape.Aggregate(4L, (a, b) => a * b)]);
            Assert.Contains($"'{name}' has the shape", Refusal(checkpoint));
        }
    }

    private static (string, long[], byte[]) Resized(string name, int width)
    {
        long[] shape = name switch
        {
            _ when name.EndsWith("attn_norm.weight", StringComparison.Ordinal) => [width],
            _ when name.Contains("g_norm", StringComparison.Ordinal) => [width],
            _ when name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("k_proj", StringComparison.Ordinal) => [width, width],
            _ when name.Contains("o_proj", StringComparison.Ordinal) => [width, 2 * width],
            _ => [2 * width, width],
        };
        return ("F32", shape, new byte[shape.Aggregate((a, b) => a * b) * 4]);
    }

    private static CheckpointTensor Source(CanonicalModel model, string name) => model.Tensors.Single(tensor => tensor.Shape.Name == name).Source;

    private CanonicalModel Read(TestCheckpoint test)
    {
        test.Save(_folder.Path);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        return Dialect.Read(checkpoint);
    }

    private string Refusal(TestCheckpoint test) => Assert.Throws<ConverterException>(() => Read(test)).Message;
}
