using RetNet.Vulkan.Model;

namespace RetNet.Converter.Tests;

public sealed class SyncdothDialectTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void APlainFeedForwardNetwork_HasBiasesAndALayerNormInside()
    {
        CanonicalModel model = Read(TestCheckpoint.Load("syncdoth_ffn"));
        Dictionary<string, string> sources = model.Tensors.ToDictionary(tensor => tensor.Shape.Name, tensor => tensor.Source.Name);

        Assert.False(model.Config.GatedFeedForward);
        Assert.Equal((NormType.Rms, NormType.Rms), (model.Config.NormType, model.Config.RetentionNormType));
        Assert.Equal("model.layers.1.ffn.fc1.bias", sources["blk.1.ffn_up.bias"]);
        Assert.Equal("model.layers.1.ffn.fc2.bias", sources["blk.1.ffn_down.bias"]);
        Assert.Equal("model.layers.1.ffn.ffn_layernorm.bias", sources["blk.1.ffn_sub_norm.bias"]);
        Assert.Equal("lm_head.weight", sources["output.weight"]);
        Assert.DoesNotContain("blk.0.ffn_gate.weight", sources.Keys);
        Assert.Empty(model.Notes);
    }

    [Fact]
    public void LmDecay_GoesFromOneIn32ToOneIn512()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_ffn");
        Assert.Equal([1 - 1 / 32f, 1 - 1 / 128f, 1 - 1 / 512f], Read(checkpoint).Config.Decay);
        checkpoint.Tensors.Remove("model.retnet_rel_pos.decay");
        Assert.Equal([1 - 1 / 32f, 1 - 1 / 128f, 1 - 1 / 512f], Read(checkpoint).Config.Decay);
    }

    [Fact]
    public void TheNormInside_MayBeAnRmsNormOrMissing()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_ffn").Rename(name => name.EndsWith("ffn_layernorm.bias", StringComparison.Ordinal) ? null : name);
        Assert.Contains("lacks the tensor 'model.layers.0.ffn.ffn_layernorm.bias' [48]", Refusal(checkpoint));
        checkpoint.Config["use_ffn_rms_norm"] = true;
        Assert.Contains(Read(checkpoint).Tensors, tensor => tensor.Shape.Name == "blk.0.ffn_sub_norm.weight");

        checkpoint.Rename(name => name.Contains("ffn_layernorm", StringComparison.Ordinal) ? null : name);
        checkpoint.Config["subln"] = false;
        Assert.DoesNotContain(Read(checkpoint).Tensors, tensor => tensor.Shape.Name.Contains("ffn_sub_norm", StringComparison.Ordinal));
    }

    [Fact]
    public void DeepNorm_IsPostNormWhateverElseIsSaid()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_glu").Rename(name => name == "model.layer_norm.weight" ? null : name);
        checkpoint.Config["deepnorm"] = true;
        RetNetConfig config = Read(checkpoint).Config;
        Assert.Equal((true, (float)Math.Sqrt(2)), (config.PostNorm, config.ResidualScale));
    }

    [Fact]
    public void NucleusNames_GiveTheSameModel()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_glu");
        CanonicalModel expected = Read(checkpoint);
        string[] layers = [.. expected.Tensors.Select(tensor => tensor.Shape.Name)];

        checkpoint.Rename(name => name.Replace("layer_norm", "rms_norm", StringComparison.Ordinal).Replace("retnet_rel_pos", "rel_pos", StringComparison.Ordinal));
        foreach ((string old, string renamed) in new[] { ("layernorm_eps", "rms_norm_eps"), ("layernorm_embedding", "rms_norm_embedding"), ("forward_impl", "forward_mode") })
        {
            checkpoint.Config[renamed] = checkpoint.Config[old]!.DeepClone();
            checkpoint.Config.Remove(old);
        }

        checkpoint.Config["groupnorm_eps"] = 1e-5;
        checkpoint.Config.Remove("use_glu");
        CanonicalModel actual = Read(checkpoint);
        Assert.Equal(layers, actual.Tensors.Select(tensor => tensor.Shape.Name));
        Assert.Equal((1e-6f, 1e-5f), (actual.Config.NormEps, actual.Config.RetentionEps));

        // Its own defaults hold where the configuration is silent.
        checkpoint.Config.Remove("rms_norm_embedding");
        Assert.Contains("lacks the tensor 'model.layernorm_embedding.weight' [48]", Refusal(checkpoint));
    }

    [Fact]
    public void ATiedHead_FollowsHuggingFacesKey()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_glu").Rename(name => name == "lm_head.weight" ? null : name);
        Assert.Contains("lacks the tensor 'lm_head.weight'", Refusal(checkpoint));
        checkpoint.Config["tie_word_embeddings"] = true;
        Assert.DoesNotContain(Read(checkpoint).Tensors, tensor => tensor.Shape.Name == "output.weight");
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    public void NamesThatTrainingWrapped_AreUnwrapped(string wrapper)
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_glu").Rename(name => wrapper + name.Replace("layers.1.", "layers.1._checkpoint_wrapped_module.", StringComparison.Ordinal));
        Assert.Equal(wrapper + "model.layers.1._checkpoint_wrapped_module.ffn.fc1.weight", Read(checkpoint).Tensors.Single(tensor => tensor.Shape.Name == "blk.1.ffn_gate.weight").Source.Name);
    }

    [Fact]
    public void TensorParallelDecay_IsRefusedByName()
    {
        TestCheckpoint checkpoint = TestCheckpoint.Load("syncdoth_glu");
        checkpoint.Tensors["model.layers.0.retention.decay_proj.weight"] = ("F32", [3, 3], new byte[36]);
        Assert.Contains("'model.layers.0.retention.decay_proj.weight' [3, 3] belongs to no syncdoth/RetNet", Refusal(checkpoint));
    }

    private CanonicalModel Read(TestCheckpoint test)
    {
        test.Save(_folder.Path);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        return Dialect.Read(checkpoint);
    }

    private string Refusal(TestCheckpoint test) => Assert.Throws<ConverterException>(() => Read(test)).Message;
}
