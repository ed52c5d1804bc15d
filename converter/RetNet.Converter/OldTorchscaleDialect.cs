namespace RetNet.Converter;

/// <summary>
/// microsoft/torchscale's <c>RetNetDecoder</c> before 2023-09-28 (bf65397 to d1fefe9): LayerNorm, also over heads, where it has no
/// weight; biases everywhere; a plain feed-forward network with a norm inside; values twice as wide as the model.
/// </summary>
public sealed class OldTorchscaleDialect : TorchscaleFamily
{
    private const int ValueFactor = 2;

    internal OldTorchscaleDialect(Checkpoint checkpoint)
        : base(checkpoint, "")
    {
        Note("the head norm's epsilon is taken as 1e-6, which torchscale had fixed from 2023-08-02 to 2023-09-27; checkpoints trained before used layernorm_eps");
    }

    /// <inheritdoc/>
    public override string Name => "torchscale (before 2023-09-28)";

    private protected override string Output => "output_projection";

    private protected override string TiedKey => "share_decoder_input_output_embed";

    private protected override TorchscaleDefaults Defaults { get; } = new(FeedForwardSize: 1536, Eps: 1e-5);

    private protected override bool IsBiased => true;

    private protected override bool IsGated => false;

    private protected override bool HasSubNorm => Has("layers.0.ffn.ffn_layernorm.weight");

    private protected override bool IsPostNorm => !Has("layer_norm.weight");

    private protected override float HeadNormEps => 1e-6f;

    private protected override int ValueWidth(int width) => ValueFactor * width;
}
