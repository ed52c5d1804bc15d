namespace RetNet.Converter;

/// <summary>
/// microsoft/torchscale's <c>RetNetDecoder</c> since 2023-09-28 (architecture/retnet.py, config.py, component/multiscale_retention.py,
/// gate_linear_unit.py): RMSNorm, no biases, a gated feed-forward network.
/// </summary>
public sealed class TorchscaleDialect : TorchscaleFamily
{
    internal TorchscaleDialect(Checkpoint checkpoint)
        : base(checkpoint, "")
    {
    }

    /// <inheritdoc/>
    public override string Name => "torchscale";

    private protected override string Output => "output_projection";

    private protected override string TiedKey => "share_decoder_input_output_embed";

    private protected override TorchscaleDefaults Defaults { get; } = new();
}
