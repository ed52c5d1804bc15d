using System.Text.Json;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

/// <summary>
/// A torchscale model under tests/fixtures, mapped to the canonical names by hand: nothing here goes through the converter,
/// so that converter and reference check each other.
/// </summary>
internal sealed class TorchscaleFixture
{
    private readonly SafetensorsFixture _weights;

    public TorchscaleFixture(string folder)
    {
        _weights = new SafetensorsFixture(Repository.Fixture(folder, "model.safetensors"));
        Expected = new SafetensorsFixture(Repository.Fixture(folder, "reference.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture(folder, "config.json")));
        Config = ReadConfig(json.RootElement);
        Reference = new ReferenceModel(Config, Tensor);
    }

    /// <summary>What torchscale computed in float32.</summary>
    public SafetensorsFixture Expected { get; }

    public RetNetConfig Config { get; }

    public ReferenceModel Reference { get; }

    /// <summary>The ids of each sequence of the batch.</summary>
    public List<int[]> Batch => [.. Expected.Ints("ids").Chunk(Expected.Shape("ids")[1])];

    public float[]? Tensor(string name)
    {
        var torchscale = TorchscaleName(name.Split('.'));
        return _weights.Has(torchscale) ? _weights.Floats(torchscale) : null;
    }

    private static RetNetConfig ReadConfig(JsonElement json)
    {
        var (width, heads, layers) = (Int("decoder_embed_dim"), Int("decoder_retention_heads"), Int("decoder_layers"));
        var shape = RandomModel.Shape(layers, width, heads, width / heads, Int("decoder_value_embed_dim") / heads,
            Int("decoder_ffn_embed_dim"), Int("vocab_size"));
        return shape with
        {
            Activation = json.GetProperty("activation_fn").GetString() == "gelu" ? Activation.Gelu : Activation.Silu,
            PostNorm = !Bool("decoder_normalize_before", absent: true),
            ResidualScale = Bool("deepnorm", absent: false) ? MathF.Pow(2 * layers, 0.25f) : 1,
            EmbeddingScale = Bool("no_scale_embedding", absent: true) ? 1 : MathF.Sqrt(width),
        };

        int Int(string name) => json.GetProperty(name).GetInt32();
        bool Bool(string name, bool absent) => json.TryGetProperty(name, out var value) ? value.GetBoolean() : absent;
    }

    private static string TorchscaleName(string[] canonical) => canonical switch
    {
        ["token_embd", var kind] => $"embed_tokens.{kind}",
        ["token_embd_norm", var kind] => $"layernorm_embedding.{kind}",
        ["output_norm", var kind] => $"layer_norm.{kind}",
        ["output", var kind] => $"output_projection.{kind}",
        ["blk", var layer, var part, var kind] => $"layers.{layer}.{TorchscalePart(part)}.{kind}",
        _ => throw new ArgumentException(string.Join('.', canonical)),
    };

    private static string TorchscalePart(string part) => part switch
    {
        "attn_norm" => "retention_layer_norm",
        "attn_q" => "retention.q_proj",
        "attn_k" => "retention.k_proj",
        "attn_v" => "retention.v_proj",
        "attn_gate" => "retention.g_proj",
        "attn_output" => "retention.out_proj",
        "ffn_norm" => "final_layer_norm",
        "ffn_gate" => "ffn.fc1",
        "ffn_up" => "ffn.gate",
        "ffn_down" => "ffn.fc2",
        "attn_sub_norm" or "ffn_sub_norm" => $"no {part}",
        _ => throw new ArgumentException(part),
    };
}
