namespace RetNet.Vulkan.Reference;

/// <summary>One form of retention and its way back, each by its own formulas.</summary>
/// <param name="Forward">From queries, keys and values to retention.</param>
/// <param name="Backward">From the gradient of retention to those of queries, keys and values.</param>
internal sealed record RetentionForm(RetentionForward Forward, RetentionBackward Backward)
{
    public static RetentionForm Parallel { get; } = new(ParallelRetention.Apply, ParallelRetention.Backward);

    /// <summary>Parallel, divided by torchscale's clamped sum of scores.</summary>
    public static RetentionForm Clamped { get; } = new(ParallelRetention.ApplyClamped, ParallelRetention.BackwardClamped);

    public static RetentionForm Chunkwise { get; } = new(ChunkwiseRetention.Apply, ChunkwiseRetention.Backward);

    public static RetentionForm Recurrent { get; } = new(RecurrentRetention.Apply, RecurrentRetention.Backward);
}
