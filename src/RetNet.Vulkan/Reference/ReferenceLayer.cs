namespace RetNet.Vulkan.Reference;

/// <summary>The weights of one layer.</summary>
internal sealed class ReferenceLayer
{
    public ReferenceLayer(TensorReader tensors, int index)
    {
        var config = tensors.Config;
        var prefix = $"blk.{index}.";
        AttentionNorm = tensors.Norm(prefix + "attn_norm", config.Width);
        Query = tensors.Linear(prefix + "attn_q", config.Width, config.QueryWidth);
        Key = tensors.Linear(prefix + "attn_k", config.Width, config.KeyWidth);
        Value = tensors.Linear(prefix + "attn_v", config.Width, config.ValueWidth);
        Gate = config.OutputGate ? tensors.Linear(prefix + "attn_gate", config.Width, config.OutputWidth) : null;
        HeadNorm = tensors.HeadNorm(prefix + "attn_sub_norm");
        AttentionOutput = tensors.Linear(prefix + "attn_output", config.OutputWidth, config.Width);
        FeedForwardNorm = tensors.Norm(prefix + "ffn_norm", config.Width);
        FeedForwardGate = config.GatedFeedForward ? tensors.Linear(prefix + "ffn_gate", config.Width, config.FeedForwardSize) : null;
        FeedForwardUp = tensors.Linear(prefix + "ffn_up", config.Width, config.FeedForwardSize);
        FeedForwardInnerNorm = tensors.OptionalNorm(prefix + "ffn_sub_norm", config.FeedForwardSize);
        FeedForwardDown = tensors.Linear(prefix + "ffn_down", config.FeedForwardSize, config.Width);
    }

    public Norm AttentionNorm { get; }

    public Linear Query { get; }

    public Linear Key { get; }

    public Linear Value { get; }

    public Linear? Gate { get; }

    public Norm HeadNorm { get; }

    public Linear AttentionOutput { get; }

    public Norm FeedForwardNorm { get; }

    public Linear? FeedForwardGate { get; }

    public Linear FeedForwardUp { get; }

    public Norm? FeedForwardInnerNorm { get; }

    public Linear FeedForwardDown { get; }
}
