using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Converter.Tests;

public sealed class OldTorchscaleDialectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Norms_AreLayerNormsAndEverythingHasABias()
    {
        CanonicalModel model = Read(Old());
        Dictionary<string, string> sources = model.Tensors.ToDictionary(tensor => tensor.Shape.Name, tensor => tensor.Source.Name);

        Assert.Equal((NormType.Layer, NormType.Layer, 1e-5f, 1e-6f), (model.Config.NormType, model.Config.RetentionNormType, model.Config.NormEps, model.Config.RetentionEps));
        Assert.Equal((32, false, true), (model.Config.ValueSize, model.Config.GatedFeedForward, model.Config.RetentionEpsScaled));
        Assert.Equal("layers.1.retention.out_proj.bias", sources["blk.1.attn_output.bias"]);
        Assert.Equal("layers.0.retention_layer_norm.bias", sources["blk.0.attn_norm.bias"]);
        Assert.Equal("layers.0.ffn.ffn_layernorm.bias", sources["blk.0.ffn_sub_norm.bias"]);
        Assert.Equal("layer_norm.bias", sources["output_norm.bias"]);
        Assert.Contains("head norm's epsilon is taken as 1e-6", Assert.Single(model.Notes));
    }

    [Fact]
    public void Logits_AreWhatTheOldCodeComputes()
    {
        int[] tokens = [3, 1, 4, 1, 5, 9, 2, 6];
        TestCheckpoint checkpoint = Old();
        Tolerance.Near(new OldTorchscaleModel(checkpoint).Recurrent(tokens), Logits(checkpoint, tokens), 1e-6);
    }

    [Fact]
    public void Subln_ShowsInTheTensors()
    {
        TestCheckpoint checkpoint = Old().Rename(name => name.Contains("ffn_layernorm", StringComparison.Ordinal) ? null : name);
        Assert.DoesNotContain(Read(checkpoint).Tensors, tensor => tensor.Shape.Name.Contains("ffn_sub_norm", StringComparison.Ordinal));
    }

    [Fact]
    public void DeepNorm_HasNoFinalNorm()
    {
        TestCheckpoint checkpoint = Old().Rename(name => name.StartsWith("layer_norm.", StringComparison.Ordinal) ? null : name);
        checkpoint.Config["deepnorm"] = true;
        RetNetConfig config = Read(checkpoint).Config;
        Assert.Equal((true, (float)Math.Sqrt(2)), (config.PostNorm, config.ResidualScale));
    }

    [Theory]
    [InlineData("layers.1.retention.q_proj.bias")]
    [InlineData("layers.0.ffn.ffn_layernorm.bias")]
    [InlineData("layer_norm.bias")]
    public void AMissingBias_IsNamed(string bias)
    {
        TestCheckpoint checkpoint = Old();
        checkpoint.Tensors.Remove(bias);
        Assert.Contains($"lacks the tensor '{bias}'", Assert.Throws<ConverterException>(() => Read(checkpoint)).Message);
    }

    /// <summary>syncdoth's plain network with the names, value width and biases that torchscale had.</summary>
    private static TestCheckpoint Old()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_ffn").Rename(name => name == "lm_head.weight"
            ? "output_projection.weight" : name["model.".Length..]);
        foreach (string key in new[] { "model_type", "use_glu", "use_lm_decay", "decoder_value_embed_dim", "layernorm_eps" })
            checkpoint.Config.Remove(key);
        checkpoint.Tensors.Remove("retnet_rel_pos.decay");
        var random = new Random(11);
        foreach ((string name, (string, long[] Shape, byte[]) tensor) in checkpoint.Tensors.ToList())
        {
            long[] shape = name switch
            {
                _ when name.Contains("v_proj", StringComparison.Ordinal) || name.Contains("g_proj", StringComparison.Ordinal) => [96, 48],
                _ when name.Contains("out_proj", StringComparison.Ordinal) => [48, 96],
                _ => tensor.Shape,
            };
            if (!shape.SequenceEqual(tensor.Shape))
                Add(name, shape);
            string bias = name.Replace(".weight", ".bias", StringComparison.Ordinal);
            if (!checkpoint.Tensors.ContainsKey(bias) && !name.Contains("embed", StringComparison.Ordinal) && !name.Contains("output_projection", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal))
                Add(bias, [shape[0]]);
        }

        return checkpoint;

        void Add(string name, long[] shape)
        {
            checkpoint.Tensors[name] = ("F32", shape, new byte[shape.Aggregate((a, b) => a * b) * sizeof(float)]);
            foreach (ref float value in checkpoint.Values(name))
                value = (float)(random.NextDouble() - 0.5) / 4;
        }
    }

    private double[] Logits(TestCheckpoint test, int[] tokens)
    {
        test.Save(_folder.Path);
        string path = _folder.File("model.gguf");
        CheckpointConverter.Convert(_folder.Path, path, BlockType.Of(GgmlType.F32));
        using var file = GgufFile.Open(path);
        return ReferenceModel.Load(file).Recurrent(tokens);
    }

    private CanonicalModel Read(TestCheckpoint test)
    {
        test.Save(_folder.Path);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        return Dialect.Read(checkpoint);
    }
}
