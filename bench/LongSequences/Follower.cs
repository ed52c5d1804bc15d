using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace LongSequences;

/// <summary>One form on the device, followed along a sequence.</summary>
internal sealed class Follower(RetNetModel model, EvaluationOptions options) : IDisposable
{
    private readonly SequenceEvaluator _evaluator = new(model, options, Sequence.Piece);

    /// <summary>Difference of the logits after the last piece's tokens.</summary>
    public Drift Logits { get; private set; } = new();

    /// <summary>Takes a piece in and compares the logits after each of its tokens, [T, V].</summary>
    public void Follow(ReadOnlyMemory<int> tokens, double[] expected)
    {
        Logits = new Drift();
        _evaluator.Evaluate(tokens, (index, logits) => Logits.Add(expected.AsSpan(index * logits.Length), logits));
    }

    /// <summary>Difference of the states of all layers.</summary>
    public Drift States(ReferenceState expected)
    {
        var drift = new Drift();
        for (var layer = 0; layer < model.Config.Layers; layer++)
            drift.Add(expected.Layer(layer), _evaluator.State.Read(layer));
        return drift;
    }

    public void Dispose() => _evaluator.Dispose();
}
