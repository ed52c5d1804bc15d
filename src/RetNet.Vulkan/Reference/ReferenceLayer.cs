using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>The weights of one layer.</summary>
internal sealed class ReferenceLayer
{
    public ReferenceLayer(TensorReader tensors, int index)
    {
        var config = tensors.Config;
        AttentionNorm = tensors.Norm(TensorNames.AttentionNorm(index), config.Width);
        Query = tensors.Linear(TensorNames.Query(index), config.Width, config.QueryWidth);
        Key = tensors.Linear(TensorNames.Key(index), config.Width, config.KeyWidth);
        Value = tensors.Linear(TensorNames.Value(index), config.Width, config.ValueWidth);
        Gate = config.OutputGate ? tensors.Linear(TensorNames.Gate(index), config.Width, config.OutputWidth) : null;
        HeadNorm = tensors.HeadNorm(TensorNames.HeadNorm(index));
        AttentionOutput = tensors.Linear(TensorNames.AttentionOutput(index), config.OutputWidth, config.Width);
        FeedForwardNorm = tensors.Norm(TensorNames.FeedForwardNorm(index), config.Width);
        FeedForwardGate = config.GatedFeedForward ? tensors.Linear(TensorNames.FeedForwardGate(index), config.Width, config.FeedForwardSize) : null;
        FeedForwardUp = tensors.Linear(TensorNames.FeedForwardUp(index), config.Width, config.FeedForwardSize);
        FeedForwardSubNorm = tensors.OptionalNorm(TensorNames.FeedForwardSubNorm(index), config.FeedForwardSize);
        FeedForwardDown = tensors.Linear(TensorNames.FeedForwardDown(index), config.FeedForwardSize, config.Width);
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

    public Norm? FeedForwardSubNorm { get; }

    public Linear FeedForwardDown { get; }
}
