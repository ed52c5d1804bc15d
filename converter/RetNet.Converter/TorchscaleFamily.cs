using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using static RetNet.Vulkan.Model.TensorNames;

namespace RetNet.Converter;

/// <summary>
/// torchscale and what descends from it: one set of names and settings, rotary pairs that are the canonical ones, and a head
/// norm whose ε is of the state divided by √S_n. The dialects differ in defaults, in norms and biases, and in where names begin.
/// </summary>
public abstract class TorchscaleFamily : Dialect
{
    private const string BufferPrefix = "retnet_rel_pos.";
    private const string WidthKey = "decoder_embed_dim";
    private const string ValueWidthKey = "decoder_value_embed_dim";
    private const string HeadsKey = "decoder_retention_heads";

    private protected TorchscaleFamily(Checkpoint checkpoint, string body)
        : base(checkpoint, body + "embed_tokens") => Body = body;

    /// <summary>What the names of all modules but the output projection begin with.</summary>
    private protected string Body { get; }

    private protected abstract TorchscaleDefaults Defaults { get; }

    private protected virtual string EpsKey => "layernorm_eps";

    private protected virtual string EmbeddingNormKey => "layernorm_embedding";

    /// <summary>Whether all linear maps have biases and all norms are LayerNorms.</summary>
    private protected virtual bool IsBiased => false;

    private protected bool HasEmbeddingNorm => Settings.GetBoolean(EmbeddingNormKey, Defaults.EmbeddingNorm);

    private protected bool IsDeepNorm => Settings.GetBoolean("deepnorm", false);

    /// <summary>Whether norms come after the residual additions.</summary>
    private protected virtual bool IsPostNorm => !Settings.GetBoolean("decoder_normalize_before", true);

    /// <summary>Whether a plain feed-forward network, without gate, has a norm inside.</summary>
    private protected virtual bool HasSubNorm => Settings.GetBoolean("subln", true);

    private protected virtual bool IsGated => Settings.GetBoolean("use_glu", true);

    private protected virtual float HeadNormEps => Eps(EpsKey, Defaults.Eps);

    private protected virtual int ValueWidth(int width) => Width(ValueWidthKey, Defaults.ValueWidth);

    private protected override RetNetConfig ReadConfig()
    {
        int width = Width(WidthKey, Defaults.Width);
        int heads = Heads(HeadsKey, Defaults.Heads);
        int layers = Layers("decoder_layers", Defaults.Layers);
        int keySize = OfOneHead(WidthKey, width, HeadsKey, heads);
        int valueSize = OfOneHead(ValueWidthKey, ValueWidth(width), HeadsKey, heads);
        RequirePairs(WidthKey, keySize, heads);
        return new RetNetConfig
        {
            Layers = layers,
            Width = width,
            Heads = heads,
            KeyValueHeads = heads,
            KeySize = keySize,
            ValueSize = valueSize,
            FeedForwardSize = Width("decoder_ffn_embed_dim", Defaults.FeedForwardSize),
            VocabularySize = VocabularySize(),
            ContextLength = Math.Max(0, Settings.GetInt32("max_target_positions", 0)),
            NormEps = Eps(EpsKey, Defaults.Eps),
            RetentionEps = HeadNormEps,
            RetentionEpsScaled = true,
            Decay = ReadDecay(heads),
            Angles = Angles(keySize),
            Activation = ReadActivation(),
            GatedFeedForward = IsGated,
            NormType = IsBiased ? NormType.Layer : NormType.Rms,
            RetentionNormType = IsBiased ? NormType.Layer : NormType.Rms,
            PostNorm = IsPostNorm,
            ResidualScale = IsDeepNorm ? (float)Math.Pow(2.0 * layers, 0.25) : 1,
            EmbeddingScale = Settings.GetBoolean("no_scale_embedding", Defaults.PlainEmbedding) ? 1 : (float)Math.Sqrt(width),
        };
    }

    /// <summary>torchscale's <c>gate</c> is the linear branch, <c>fc1</c> the activated one, or the only one.</summary>
    private protected override IEnumerable<(string Canonical, SourceModule Source)> Modules(RetNetConfig config)
    {
        yield return (TokenEmbedding, new(Embedding));
        if (HasEmbeddingNorm)
            yield return (TokenEmbeddingNorm, new(Body + "layernorm_embedding", IsBiased));
        for (int i = 0; i < config.Layers; i++)
        {
            foreach ((string, SourceModule) module in LayerModules(i, $"{Body}layers.{i}."))
                yield return module;
        }

        if (!config.PostNorm)
            yield return (OutputNorm, new(Body + "layer_norm", IsBiased));
        if (!IsTied)
            yield return (TensorNames.Output, new(Output));
    }

    private protected override bool IsBuffer(string name) => name.StartsWith(Body + BufferPrefix, StringComparison.Ordinal);

    private protected override string? Refusal(string name) => name switch
    {
        _ when name.Contains(".moe_layer.", StringComparison.Ordinal) => "mixture-of-experts layers are not supported",
        _ when name.Contains(".A.", StringComparison.Ordinal) || name.Contains(".B.", StringComparison.Ordinal) => "multiway models are not supported",
        _ => null,
    };

    private protected override void RefuseSettings()
    {
        if (Settings.GetInt32("moe_freq", 0) > 0)
            throw Senseless("moe_freq", "asks for mixture-of-experts layers, which are not supported");
        if (Settings.GetBoolean("multiway", false))
            throw Senseless("multiway", "asks for a multiway model, which is not supported");
    }

    private IEnumerable<(string, SourceModule)> LayerModules(int i, string layer)
    {
        yield return (AttentionNorm(i), new(layer + "retention_layer_norm", IsBiased));
        yield return (Query(i), new(layer + "retention.q_proj", IsBiased));
        yield return (Key(i), new(layer + "retention.k_proj", IsBiased));
        yield return (Value(i), new(layer + "retention.v_proj", IsBiased));
        yield return (Gate(i), new(layer + "retention.g_proj", IsBiased));
        yield return (AttentionOutput(i), new(layer + "retention.out_proj", IsBiased));
        yield return (FeedForwardNorm(i), new(layer + "final_layer_norm", IsBiased));
        if (IsGated)
        {
            yield return (FeedForwardGate(i), new(layer + "ffn.fc1"));
            yield return (FeedForwardUp(i), new(layer + "ffn.gate"));
            yield return (FeedForwardDown(i), new(layer + "ffn.fc2"));
            yield break;
        }

        yield return (FeedForwardUp(i), new(layer + "ffn.fc1", HasBias: true));
        if (HasSubNorm)
            yield return (FeedForwardSubNorm(i), new(layer + "ffn.ffn_layernorm", !Settings.GetBoolean("use_ffn_rms_norm", false)));
        yield return (FeedForwardDown(i), new(layer + "ffn.fc2", HasBias: true));
    }

    private Activation ReadActivation() => Settings.GetString("activation_fn", Defaults.Activation) switch
    {
        "gelu" => Activation.Gelu,
        "swish" => Activation.Silu,
        "relu" => Activation.Relu,
        string other => throw Senseless("activation_fn", $"is '{other}', expected gelu, swish or relu"),
    };

    /// <summary>The formula's decay, or the checkpoint's own where it differs by more than its number format explains.</summary>
    private float[] ReadDecay(int heads)
    {
        double[] expected = Decay(heads);
        float[] decay = [.. expected.Select(gamma => (float)gamma)];
        if (Find($"{Body}{BufferPrefix}decay") is not { } buffer)
            return decay;
        if (buffer.Shape is not [long count] || count != heads)
            throw new ConverterException(buffer.Path, $"tensor '{buffer.Name}' has the shape {GgufTensor.FormatShape(buffer.Shape)}, {Settings.ShortName} asks for [{heads}]");
        var logarithms = new float[heads];
        buffer.Read(0, logarithms);
        if (!logarithms.Zip(expected, Disagree).Any(disagrees => disagrees))
            return decay;
        Note($"the decay in '{buffer.Name}' is not the one of the settings; the checkpoint's own was taken");
        return [.. logarithms.Select(value => Math.Exp(value) is > 0 and <= 1 and double gamma && (float)gamma > 0
            ? (float)gamma
            : throw new ConverterException(buffer.Path, $"tensor '{buffer.Name}' holds {value}, but the logarithm of a decay is negative or zero"))];
    }

    /// <summary>γ_h = 1 − 2^(−5−h), or with <c>use_lm_decay</c> 1 − γ_h from 1/32 to 1/512 in equal ratios (arXiv:2307.08621, §3.1).</summary>
    private double[] Decay(int heads) => Settings.GetBoolean("use_lm_decay", false)
        ? [.. Enumerable.Range(0, heads).Select(h => 1 - Math.Pow(2, -5 - (heads == 1 ? 0 : 4.0 * h / (heads - 1))))]
        : [.. Enumerable.Range(0, heads).Select(h => 1 - Math.Pow(2, -5 - h))];

    // The buffer holds ln γ in the model's type: bf16 keeps 8 bits (2⁻⁹), f16 has no steps below 2⁻²⁴.
    private static bool Disagree(float logarithm, double decay) =>
        !(Math.Abs(logarithm - Math.Log(decay)) <= 5e-3 * Math.Abs(Math.Log(decay)) + Math.ScaleB(1, -24));

    /// <summary>θ_i = 10000^(−i / (dk/2 − 1)): torchscale's linspace reaches 1/10000 exactly.</summary>
    private static float[] Angles(int keySize)
    {
        int pairs = keySize / 2;
        return [.. Enumerable.Range(0, pairs).Select(i => pairs == 1 ? 1 : (float)Math.Pow(10000, -(double)i / (pairs - 1)))];
    }
}
