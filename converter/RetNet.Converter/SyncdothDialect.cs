namespace RetNet.Converter;

/// <summary>
/// syncdoth/RetNet (retnet/modeling_retnet.py, configuration_retnet.py): torchscale's model as a Hugging Face one, with a plain
/// feed-forward network and another decay to choose from. Its branch nucleusx_pr says <c>rms_norm</c> for <c>layer_norm</c>.
/// </summary>
public sealed class SyncdothDialect : TorchscaleFamily
{
    private readonly bool _isNucleus;

    internal SyncdothDialect(Checkpoint checkpoint)
        : base(checkpoint, "model.")
    {
        _isNucleus = Settings.Find("rms_norm_eps") is not null;
        Defaults = _isNucleus
            ? new(4096, 6912, 6912, Heads: 16, Layers: 32, "swish", PlainEmbedding: false, EmbeddingNorm: true)
            : new();
    }

    /// <inheritdoc/>
    public override string Name => "syncdoth/RetNet";

    private protected override string Output => "lm_head";

    private protected override string TiedKey => "tie_word_embeddings";

    private protected override TorchscaleDefaults Defaults { get; }

    private protected override string EpsKey => _isNucleus ? "rms_norm_eps" : "layernorm_eps";

    private protected override string EmbeddingNormKey => _isNucleus ? "rms_norm_embedding" : "layernorm_embedding";

    private protected override float HeadNormEps => _isNucleus ? Eps("groupnorm_eps", Defaults.Eps) : base.HeadNormEps;

    // Its configuration overrules decoder_normalize_before: deepnorm is post-norm, else subln is pre-norm.
    private protected override bool IsPostNorm => IsDeepNorm || (base.IsPostNorm && (_isNucleus || !base.HasSubNorm));

    private protected override bool HasSubNorm => !IsDeepNorm && base.HasSubNorm;

    private protected override string Standardise(string name) => name
        .Replace("rms_norm_embedding", "layernorm_embedding", StringComparison.Ordinal)
        .Replace("ffn_rms_norm", "ffn_layernorm", StringComparison.Ordinal)
        .Replace("rms_norm", "layer_norm", StringComparison.Ordinal)
        .Replace("model.rel_pos.", "model.retnet_rel_pos.", StringComparison.Ordinal);
}
