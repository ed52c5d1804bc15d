using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Model;

public sealed class RetNetGgufTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static RetNetConfig Unusual => new()
    {
        Name = "unusual",
        Layers = 3,
        Width = 40,
        Heads = 4,
        KeyValueHeads = 2,
        KeySize = 6,
        ValueSize = 7,
        FeedForwardSize = 50,
        VocabularySize = 99,
        ContextLength = 512,
        NormEps = 1e-5f,
        Decay = [0.5f, 0.75f, 0.875f, 1f],
        Angles = [1f, 0.01f, 0.0001f],
        RetentionNormType = NormType.Layer,
        RetentionEps = 1e-6f,
        RetentionEpsScaled = true,
        Activation = Activation.Relu,
        GatedFeedForward = false,
        NormType = NormType.Layer,
        PostNorm = true,
        ResidualScale = 1.5f,
        EmbeddingScale = 8f,
        OutputGate = false,
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Config_SurvivesTheFile()
    {
        using GgufFile file = Write(writer => RetNetGguf.WriteConfig(writer, Unusual));
        RetNetConfig read = RetNetGguf.ReadConfig(file);

        Assert.Equal(Unusual.Decay, read.Decay);
        Assert.Equal(Unusual.Angles, read.Angles);
        RetNetConfig expected = Unusual;
        Assert.Equal(expected, read with { Decay = expected.Decay, Angles = expected.Angles });
    }

    [Fact]
    public void AbsentKeys_TakeTheDocumentedDefaults()
    {
        using GgufFile file = Write(writer => WriteMinimal(writer));
        RetNetConfig read = RetNetGguf.ReadConfig(file);

        Assert.Equal("", read.Name);
        Assert.Equal(2, read.KeyValueHeads);
        Assert.Equal(0, read.ContextLength);
        Assert.Equal(Activation.Silu, read.Activation);
        Assert.Equal((NormType.Rms, NormType.Rms), (read.NormType, read.RetentionNormType));
        Assert.True(read.GatedFeedForward && read.OutputGate);
        Assert.False(read.PostNorm);
        Assert.Equal((1f, 1f), (read.ResidualScale, read.EmbeddingScale));
    }

    [Fact]
    public void AnotherArchitecture_IsNamed()
    {
        using GgufFile file = Write(writer => writer.Add("general.architecture", "llama"));
        Assert.Contains("is a 'llama' model; this program runs 'retnet' models", Assert.Throws<GgufException>(() => RetNetGguf.ReadConfig(file)).Message);
    }

    [Theory]
    [InlineData("retnet.block_count", 0u)]
    [InlineData("retnet.block_count", uint.MaxValue)]
    [InlineData("retnet.attention.head_count", 1u << 30)]
    [InlineData("retnet.attention.head_count_kv", 3u)]
    [InlineData("retnet.attention.key_length", 5u)]
    [InlineData("retnet.attention.value_length", 1u << 20)]
    [InlineData("retnet.embedding_length", null)]
    [InlineData("retnet.vocab_size", "many")]
    [InlineData("retnet.norm.type", "batch")]
    [InlineData("retnet.feed_forward.activation", "Silu")]
    [InlineData("retnet.retention.decay", new[] { 0.5f })]
    [InlineData("retnet.retention.decay", new[] { 0.5f, 0f })]
    [InlineData("retnet.retention.decay", new[] { 0.5f, 1.5f })]
    [InlineData("retnet.retention.decay", new[] { float.NaN, 0.5f })]
    [InlineData("retnet.rope.angles", new[] { 1f, 1f, float.PositiveInfinity })]
    [InlineData("retnet.rope.angles", new[] { 1f })]
    [InlineData("retnet.retention.eps", -1f)]
    [InlineData("retnet.retention.eps", float.NaN)]
    [InlineData("retnet.residual_scale", 0f)]
    [InlineData("retnet.embedding_scale", float.PositiveInfinity)]
    public void SenselessValues_NameTheKey(string key, object? value)
    {
        using GgufFile file = Write(writer => WriteMinimal(writer, key, value));
        Assert.Contains($"'{key}'", Assert.Throws<GgufException>(() => RetNetGguf.ReadConfig(file)).Message);
    }

    [Fact]
    public void TensorShapes_AcceptTheModelTheyDescribe()
    {
        using GgufFile file = WriteTensors(TensorShapes.Of(Unusual));
        TensorShapes.Validate(file, Unusual);
    }

    [Fact]
    public void TensorShapes_NeedOnlyTheRequired()
    {
        TensorShape[] required = [.. TensorShapes.Of(Unusual).Where(shape => shape.Required)];
        using GgufFile file = WriteTensors(required);
        TensorShapes.Validate(file, Unusual);

        Assert.DoesNotContain(required, shape => shape.Name is "output.weight" or "token_embd_norm.weight" or "output_norm.weight" or "blk.0.attn_gate.weight");
        Assert.Contains(required, shape => shape.Name == "blk.2.attn_norm.bias");
        Assert.Equal([28L, 40L], required.Single(shape => shape.Name == "blk.1.attn_output.weight").Dimensions);
        Assert.Equal([40L, 12L], required.Single(shape => shape.Name == "blk.1.attn_k.weight").Dimensions);
    }

    [Fact]
    public void TensorShapes_NameWhatIsMissingUnknownOrMisshapen()
    {
        TensorShape[] shapes = [.. TensorShapes.Of(Unusual)];

        Assert.Contains("lacks tensor 'blk.2.ffn_down.weight' [50, 40]", Refusal(shapes.Where(shape => shape.Name != "blk.2.ffn_down.weight")));
        Assert.Contains("'blk.3.attn_q.weight' [40, 24] belongs to no", Refusal([.. shapes, new("blk.3.attn_q.weight", [40, 24], true)]));
        Assert.Contains(
            "'blk.0.attn_v.weight' has the shape [40, 15], the model's settings ask for [40, 14]",
            Refusal(shapes.Select(shape => shape.Name == "blk.0.attn_v.weight" ? shape with { Dimensions = [40, 15] } : shape)));
    }

    private string Refusal(IEnumerable<TensorShape> shapes)
    {
        using GgufFile file = WriteTensors(shapes);
        return Assert.Throws<GgufException>(() => TensorShapes.Validate(file, Unusual)).Message;
    }

    private GgufFile WriteTensors(IEnumerable<TensorShape> shapes) => Write(writer =>
    {
        GgufTensor[] tensors = [.. shapes.Select(shape => writer.AddTensor(shape.Name, BlockType.Of(GgmlType.F32), shape.Dimensions))];
        foreach (GgufTensor tensor in tensors)
            writer.Write(tensor, new byte[tensor.Bytes]);
    });

    private GgufFile Write(Action<GgufWriter> write)
    {
        string path = _folder.File("model.gguf");
        using (GgufWriter writer = GgufWriter.Create(path))
        {
            write(writer);
            writer.Complete();
        }

        return GgufFile.Open(path);
    }

    /// <summary>Writes the required keys; <paramref name="key"/> becomes <paramref name="value"/>, or is left out when that is null.</summary>
    private static void WriteMinimal(GgufWriter writer, string key = "", object? value = null)
    {
        var entries = new Dictionary<string, object?>
        {
            ["general.architecture"] = "retnet",
            ["retnet.block_count"] = 1u,
            ["retnet.embedding_length"] = 8u,
            ["retnet.feed_forward_length"] = 8u,
            ["retnet.vocab_size"] = 5u,
            ["retnet.attention.head_count"] = 2u,
            ["retnet.attention.key_length"] = 6u,
            ["retnet.attention.value_length"] = 4u,
            ["retnet.attention.layer_norm_rms_epsilon"] = 1e-6f,
            ["retnet.retention.decay"] = new[] { 0.5f, 0.75f },
            ["retnet.retention.eps"] = 1e-6f,
            ["retnet.retention.eps_scaled"] = false,
            ["retnet.rope.angles"] = new[] { 1f, 0.1f, 0.01f },
        };
        if (key.Length > 0)
            entries[key] = value;
        foreach ((string name, object? entry) in entries)
        {
            switch (entry)
            {
                case uint number: writer.Add(name, number); break;
                case float number: writer.Add(name, number); break;
                case bool flag: writer.Add(name, flag); break;
                case string text: writer.Add(name, text); break;
                case float[] numbers: writer.Add(name, numbers); break;
            }
        }
    }
}
