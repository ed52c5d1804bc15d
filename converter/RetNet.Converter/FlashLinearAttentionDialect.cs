using RetNet.Vulkan.Model;
using static RetNet.Vulkan.Model.TensorNames;

namespace RetNet.Converter;

/// <summary>
/// fla-org/flash-linear-attention's RetNet (fla/models/retnet, fla/layers/multiscale_retention.py, fla/modules/rotary.py): rotary
/// pairs (i, i + dk/2), here made neighbours by reordering the rows of queries and keys; a head norm with a weight and a plain ε.
/// Until 2025-02-08 gate and up projection were one matrix, <c>gate_proj</c>.
/// </summary>
public sealed class FlashLinearAttentionDialect : Dialect
{
    private const string WidthKey = "hidden_size";
    private const string HeadsKey = "num_heads";
    private const int FeedForwardMultiple = 256;

    internal FlashLinearAttentionDialect(Checkpoint checkpoint)
        : base(checkpoint, "model.embeddings")
    {
    }

    /// <inheritdoc/>
    public override string Name => "flash-linear-attention";

    private protected override string Output => "lm_head";

    private protected override string TiedKey => "tie_word_embeddings";

    private bool HasGate => Settings.GetBoolean("use_output_gate", true);

    private protected override RetNetConfig ReadConfig()
    {
        int width = Width(WidthKey, 2048);
        int heads = Heads(HeadsKey, 8);
        int keySize = OfOneHead("expand_k", Expanded("expand_k", width, 1), HeadsKey, heads);
        RequirePairs("expand_k", keySize, heads);
        int keyValueHeads = Heads("num_kv_heads", heads);
        if (heads % keyValueHeads != 0)
            throw Senseless("num_kv_heads", $"is {keyValueHeads}, which does not divide the {heads} heads of '{HeadsKey}'");
        float eps = Eps("norm_eps", 1e-6);
        return new RetNetConfig
        {
            Layers = Layers("num_hidden_layers", 24),
            Width = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            KeySize = keySize,
            ValueSize = OfOneHead("expand_v", Expanded("expand_v", width, 2), HeadsKey, heads),
            FeedForwardSize = FeedForwardSize(width),
            VocabularySize = VocabularySize(),
            ContextLength = Math.Max(0, Settings.GetInt32("max_position_embeddings", 0)),
            NormEps = eps,
            RetentionEps = eps,
            RetentionEpsScaled = false,
            Decay = [.. Enumerable.Range(0, heads).Select(h => (float)(1 - Math.Pow(2, -5 - h)))],
            Angles = [.. Enumerable.Range(0, keySize / 2).Select(i => (float)Math.Pow(10000, -2.0 * i / keySize))],
            OutputGate = HasGate,
        };
    }

    private protected override IEnumerable<(string Canonical, SourceModule Source)> Modules(RetNetConfig config)
    {
        yield return (TokenEmbedding, new(Embedding));
        for (int i = 0; i < config.Layers; i++)
        {
            foreach ((string, SourceModule) module in LayerModules(config, i, $"model.layers.{i}."))
                yield return module;
        }

        yield return (OutputNorm, new("model.norm"));
        if (!IsTied)
            yield return (TensorNames.Output, new(Output));
    }

    private protected override bool IsBuffer(string name) => name.EndsWith(".rotary.inv_freq", StringComparison.Ordinal);

    private protected override void RefuseSettings()
    {
        foreach (string key in new[] { "attn", "attnres_block_size", "feature_map" })
        {
            if (Settings.Find(key) is { } value)
                throw Settings.Wrong(key, value, "null: such layers are not supported");
        }

        if (Settings.GetString("hidden_act", "swish") is not "swish" and string activation)
            throw Senseless("hidden_act", $"is '{activation}', only swish is supported");
    }

    private IEnumerable<(string, SourceModule)> LayerModules(RetNetConfig config, int i, string layer)
    {
        yield return (AttentionNorm(i), new(layer + "attn_norm"));
        yield return (Query(i), new(layer + "attn.q_proj", View: rows => rows.InterleaveHalves(config.KeySize)));
        yield return (Key(i), new(layer + "attn.k_proj", View: rows => rows.InterleaveHalves(config.KeySize)));
        yield return (Value(i), new(layer + "attn.v_proj"));
        if (HasGate)
            yield return (Gate(i), new(layer + "attn.g_proj"));
        // The name says whether fla fused norm and gate, which is no matter of the model.
        string fused = layer + "attn.g_norm_swish_gate";
        if (Settings.GetBoolean("elementwise_affine", true))
            yield return (HeadNorm(i), new(Has(Weight(fused)) ? fused : layer + "attn.g_norm"));
        yield return (AttentionOutput(i), new(layer + "attn.o_proj"));
        yield return (FeedForwardNorm(i), new(layer + "mlp_norm"));
        bool isSplit = Has(Weight(layer + "mlp.up_proj"));
        yield return (FeedForwardGate(i), new(layer + "mlp.gate_proj", View: isSplit ? null : both => both.RowPart(0, 2)));
        yield return (FeedForwardUp(i), isSplit ? new(layer + "mlp.up_proj") : new(layer + "mlp.gate_proj", View: both => both.RowPart(1, 2)));
        yield return (FeedForwardDown(i), new(layer + "mlp.down_proj"));
    }

    /// <summary>The width times the factor of <paramref name="key"/>, which must be whole.</summary>
    private int Expanded(string key, int width, double fallback)
    {
        double factor = Settings.GetDouble(key, fallback);
        double product = width * factor;
        return product is >= 1 and <= 1 << 20 && Math.Abs(product - Math.Round(product)) <= 1e-9 * product
            ? (int)Math.Round(product)
            : throw Senseless(key, $"is {factor}, which times '{WidthKey}' {width} gives no sensible width");
    }

    private int FeedForwardSize(int width)
    {
        if (Settings.Find("intermediate_size") is not null)
            return Width("intermediate_size", 0);
        double size = width * Settings.GetDouble("hidden_ratio", 2) * 2 / 3;
        return size is > 0 and <= (1 << 20) - FeedForwardMultiple
            ? ((int)size + FeedForwardMultiple - 1) / FeedForwardMultiple * FeedForwardMultiple
            : throw Senseless("hidden_ratio", "gives no sensible width of the feed-forward network");
    }
}
