namespace RetNet.Vulkan.Model;

/// <summary>One layer's weights on the device. Vectors are device addresses of f32, padded with zeros to a multiple of 64.</summary>
public sealed record LayerWeights
{
    /// <summary>Norm weight before (or, in a post-norm model, after) retention, [d].</summary>
    public required ulong RetentionNorm { get; init; }

    /// <summary>Rows of W_q, W_k, W_v and, where the output is gated, W_g: one matrix, since they share their input.</summary>
    public required DeviceMatrix QueryKeyValueGate { get; init; }

    /// <summary>Weight of the head norm, [dv], shared by all heads; ones where the model has none.</summary>
    public required ulong HeadNorm { get; init; }

    /// <summary>W_o, [d, H·dv].</summary>
    public required DeviceMatrix RetentionOutput { get; init; }

    /// <summary>Norm weight before (or after) the feed-forward network, [d].</summary>
    public required ulong FeedForwardNorm { get; init; }

    /// <summary>Rows of the activated branch, then rows of the linear branch: [2·F, d].</summary>
    public required DeviceMatrix FeedForwardGateUp { get; init; }

    /// <summary>The product back to the residual stream, [d, F].</summary>
    public required DeviceMatrix FeedForwardDown { get; init; }
}
