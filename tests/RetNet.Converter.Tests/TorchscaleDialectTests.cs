using System.Text.Json.Nodes;
using RetNet.Vulkan.Model;

namespace RetNet.Converter.Tests;

public sealed class TorchscaleDialectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Base_HasTorchscalesDefaults()
    {
        RetNetConfig config = ReadFixture("torchscale_base").Config;

        Assert.Equal((2, 48, 3, 3, 16, 20, 72, 97), (config.Layers, config.Width, config.Heads, config.KeyValueHeads, config.KeySize, config.ValueSize, config.FeedForwardSize, config.VocabularySize));
        Assert.Equal((1e-6f, 1e-6f, true), (config.NormEps, config.RetentionEps, config.RetentionEpsScaled));
        Assert.Equal((Activation.Gelu, NormType.Rms, false, 1f, 1f), (config.Activation, config.NormType, config.PostNorm, config.ResidualScale, config.EmbeddingScale));
        Assert.True(config.GatedFeedForward && config.OutputGate);
        Assert.Equal([0.96875f, 0.984375f, 0.9921875f], config.Decay);
    }

    [Fact]
    public void Angles_AreTheCheckpointsOwn()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        float[] buffer = checkpoint.Values("retnet_rel_pos.angle").ToArray();
        IReadOnlyList<float> angles = ReadFixture("torchscale_base").Config.Angles;

        Assert.Equal(8, angles.Count);
        Assert.Equal(1f, angles[0]);
        Assert.Equal(1e-4f, angles[7]);
        for (int i = 0; i < angles.Count; i++)
            Assert.Equal(buffer[2 * i], angles[i], buffer[2 * i] * 1e-6f);
    }

    [Fact]
    public void OnePairAHead_TurnsByOneRadian()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config["decoder_retention_heads"] = 24;
        checkpoint.Config["decoder_value_embed_dim"] = 72;
        foreach (string name in checkpoint.Tensors.Keys.Where(name => name.Contains("g_proj", StringComparison.Ordinal) || name.Contains("v_proj", StringComparison.Ordinal)).ToList())
            checkpoint.Tensors[name] = ("F32", [72, 48], new byte[72 * 48 * 4]);
        foreach (string name in checkpoint.Tensors.Keys.Where(name => name.Contains("out_proj", StringComparison.Ordinal)).ToList())
            checkpoint.Tensors[name] = ("F32", [48, 72], new byte[72 * 48 * 4]);
        checkpoint.Tensors.Remove("retnet_rel_pos.decay");
        RetNetConfig config = Read(checkpoint).Config;

        Assert.Equal([1f], config.Angles);
        Assert.Equal(1f, config.Decay[20]);
        Assert.True(config.Decay[19] < 1);
    }

    [Fact]
    public void TiedScaled_HasNoOutputAndAnEmbeddingNorm()
    {
        CanonicalModel model = ReadFixture("torchscale_tied_scaled");

        Assert.Equal(8f, model.Config.EmbeddingScale);
        Assert.Equal(Activation.Silu, model.Config.Activation);
        Assert.Contains(model.Tensors, tensor => tensor.Shape.Name == "token_embd_norm.weight");
        Assert.DoesNotContain(model.Tensors, tensor => tensor.Shape.Name == "output.weight");
    }

    [Fact]
    public void DeepNorm_IsPostNormWithAScaledResidual()
    {
        CanonicalModel model = ReadFixture("torchscale_deepnorm");

        Assert.True(model.Config.PostNorm);
        Assert.Equal((float)Math.Sqrt(2), model.Config.ResidualScale);
        Assert.DoesNotContain(model.Tensors, tensor => tensor.Shape.Name == "output_norm.weight");
    }

    [Fact]
    public void TorchscalesGate_IsTheLinearBranch()
    {
        Dictionary<string, string> sources = ReadFixture("torchscale_base").Tensors.ToDictionary(tensor => tensor.Shape.Name, tensor => tensor.Source.Name);

        Assert.Equal("layers.1.ffn.fc1.weight", sources["blk.1.ffn_gate.weight"]);
        Assert.Equal("layers.1.ffn.gate.weight", sources["blk.1.ffn_up.weight"]);
        Assert.Equal("layers.1.ffn.fc2.weight", sources["blk.1.ffn_down.weight"]);
        Assert.Equal("layers.0.retention_layer_norm.weight", sources["blk.0.attn_norm.weight"]);
        Assert.Equal("layers.0.final_layer_norm.weight", sources["blk.0.ffn_norm.weight"]);
        Assert.Equal("layers.0.retention.g_proj.weight", sources["blk.0.attn_gate.weight"]);
        Assert.Equal("layer_norm.weight", sources["output_norm.weight"]);
        Assert.Equal("output_projection.weight", sources["output.weight"]);
    }

    [Fact]
    public void FairseqsPrefix_IsAccepted()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        foreach (string name in checkpoint.Tensors.Keys.ToList())
        {
            checkpoint.Tensors["decoder." + name] = checkpoint.Tensors[name];
            checkpoint.Tensors.Remove(name);
        }

        CanonicalModel model = Read(checkpoint);
        Assert.Equal("decoder.embed_tokens.weight", model.Tensors[0].Source.Name);
        Assert.Empty(model.Notes);
    }

    [Fact]
    public void Decay_OfHalfPrecisionBuffersIsTheFormulas()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        foreach (ref float value in checkpoint.Values("retnet_rel_pos.decay"))
            value = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF_0000);
        CanonicalModel model = Read(checkpoint);

        Assert.Equal([0.96875f, 0.984375f, 0.9921875f], model.Config.Decay);
        Assert.Empty(model.Notes);
    }

    [Fact]
    public void Decay_OfItsOwnIsTakenAndSaid()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Values("retnet_rel_pos.decay")[1] = MathF.Log(0.9f);
        CanonicalModel model = Read(checkpoint);

        Assert.Equal(0.9f, model.Config.Decay[1], 1e-6f);
        Assert.Contains("decay", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Decay_WithoutSenseIsRefused(float value)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Values("retnet_rel_pos.decay")[1] = value;
        Assert.Contains("'retnet_rel_pos.decay'", Refusal(checkpoint));
    }

    [Fact]
    public void ATiedOutput_MayBeThereTwiceButNotDiffer()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_tied_scaled");
        (string type, long[] shape, byte[] data) = checkpoint.Tensors["embed_tokens.weight"];
        checkpoint.Tensors["output_projection.weight"] = (type, shape, [.. data]);
        Assert.DoesNotContain(Read(checkpoint).Tensors, tensor => tensor.Shape.Name == "output.weight");

        checkpoint.Values("output_projection.weight")[^1] += 1;
        Assert.Contains("'output_projection.weight' differs from 'embed_tokens.weight'", Refusal(checkpoint));
    }

    [Theory]
    [InlineData("layers.0.retention.q_proj.bias", "belongs to no torchscale RetNet")]
    [InlineData("layers.0.final_layer_norm.bias", "belongs to no torchscale RetNet")]
    [InlineData("layers.1.moe_layer.experts.0.fc1.weight", "mixture-of-experts")]
    [InlineData("layers.0.retention.q_proj.A.weight", "multiway")]
    [InlineData("lm_head.weight", "belongs to no torchscale RetNet")]
    [InlineData("layers.2.ffn.fc1.weight", "belongs to no torchscale RetNet")]
    [InlineData("embed_positions.weight", "belongs to no torchscale RetNet")]
    public void ForeignTensors_AreRefusedByName(string name, string reason)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Tensors[name] = ("F32", [4], new byte[16]);
        string message = Refusal(checkpoint);

        Assert.Contains($"'{name}'", message);
        Assert.Contains(reason, message);
    }

    [Theory]
    [InlineData("moe_freq", 2)]
    [InlineData("multiway", true)]
    [InlineData("multiway", "yes")]
    [InlineData("decoder_layers", 0)]
    [InlineData("decoder_layers", 1 << 30)]
    [InlineData("decoder_retention_heads", 5)]
    [InlineData("decoder_embed_dim", "wide")]
    [InlineData("decoder_ffn_embed_dim", 1.5)]
    [InlineData("vocab_size", 0)]
    [InlineData("layernorm_eps", -1.0)]
    [InlineData("activation_fn", "tanh")]
    public void SenselessSettings_NameTheKey(string key, object value)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config[key] = JsonValue.Create(value);
        string message = Refusal(checkpoint);

        Assert.Contains($"'{key}'", message);
    }

    [Fact]
    public void AnOddKeySize_IsRefused()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config["decoder_retention_heads"] = 16;
        checkpoint.Config["decoder_value_embed_dim"] = 64;
        Assert.Contains("odd key size 3", Refusal(checkpoint));
    }

    [Theory]
    [InlineData("decoder_ffn_embed_dim", 64, "'layers.0.ffn.fc1.weight' has the shape [72, 48], config.json asks for [64, 48]")]
    [InlineData("decoder_layers", 3, "lacks the tensor 'layers.2.retention_layer_norm.weight' [48]")]
    [InlineData("vocab_size", 98, "'embed_tokens.weight' has the shape [97, 48], config.json asks for [98, 48]")]
    [InlineData("layernorm_embedding", true, "lacks the tensor 'layernorm_embedding.weight' [48]")]
    [InlineData("decoder_normalize_before", false, "'layer_norm.weight' [48] belongs to no")]
    public void SettingsThatTheTensorsContradict_NameTheTensor(string key, object value, string expected)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config[key] = JsonValue.Create(value);
        Assert.Contains(expected, Refusal(checkpoint));
    }

    [Fact]
    public void IntegerWeights_AreRefusedByName()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Tensors["layers.0.ffn.fc1.weight"] = ("I8", [72, 48], new byte[72 * 48]);
        Assert.Contains("'layers.0.ffn.fc1.weight' holds I8", Refusal(checkpoint));
    }

    [Fact]
    public void VocabularySize_MayFollowFromTheEmbedding()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("torchscale_base");
        checkpoint.Config.Remove("vocab_size");
        Assert.Equal(97, Read(checkpoint).Config.VocabularySize);
    }

    private static CanonicalModel ReadFixture(string name)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Repository.Fixture(name));
        return Dialect.Read(checkpoint);
    }

    private CanonicalModel Read(TestCheckpoint test)
    {
        test.Save(_folder.Path);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        return Dialect.Read(checkpoint);
    }

    private string Refusal(TestCheckpoint test) => Assert.Throws<ConverterException>(() => Read(test)).Message;
}
