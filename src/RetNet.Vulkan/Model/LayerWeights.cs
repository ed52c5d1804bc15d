namespace RetNet.Vulkan.Model;

/// <summary>One layer's weights on the device.</summary>
public sealed record LayerWeights
{
    /// <summary>Norm before (or, in a post-norm model, after) retention, [d].</summary>
    public required DeviceNorm RetentionNorm { get; init; }

    /// <summary>Rows of W_q, W_k, W_v and, where the output is gated, W_g: one matrix, since they share their input.</summary>
    public required DeviceMatrix QueryKeyValueGate { get; init; }

    /// <summary>Device address of the head norm's weight, f32 [dv], shared by all heads; ones where the model has none.</summary>
    public required ulong HeadNorm { get; init; }

    /// <summary>W_o, [d, H·dv].</summary>
    public required DeviceMatrix RetentionOutput { get; init; }

    /// <summary>Norm before (or after) the feed-forward network, [d].</summary>
    public required DeviceNorm FeedForwardNorm { get; init; }

    /// <summary>Gated: rows of the activated branch, then rows of the linear branch, [2·F, d]; else the one branch, [F, d].</summary>
    public required DeviceMatrix FeedForwardIn { get; init; }

    /// <summary>Norm inside the feed-forward network, [F]; null where there is none.</summary>
    public required DeviceNorm? FeedForwardSubNorm { get; init; }

    /// <summary>The product back to the residual stream, [d, F].</summary>
    public required DeviceMatrix FeedForwardDown { get; init; }
}
