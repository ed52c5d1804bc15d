using System.Diagnostics;
using System.Globalization;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// The oracle's gradients against central differences of the oracle's loss in double precision, (L(w + h) − L(w − h)) / 2h, of sampled weights. A
/// device's loss in f32 is too coarse for that: its gradients are compared with the oracle's.
/// </summary>
internal sealed class GradientDifferences
{
    /// <summary>The largest difference allowed: what bends of the loss over a step leave.</summary>
    public static readonly TrainingLimits Limits = new(0, 1e-4, 0);

    private const double Step = 1.0 / (1 << 13);
    private const int SamplesOfTensor = 4;
    private const int Seed = 11;

    private readonly ReferenceModel _model;
    private readonly ReferenceGradients _evaluator;
    private readonly IReadOnlyList<int[]> _sequences;

    /// <param name="model">The model, in its parallel form; its weights are changed and restored.</param>
    /// <param name="sequences">Token ids, two at least in each sequence.</param>
    public GradientDifferences(ReferenceModel model, IReadOnlyList<int[]> sequences)
    {
        (_model, _sequences) = (model, sequences);
        _evaluator = new(model);
    }

    /// <summary>Samples weights of every tensor in turn until the time is over.</summary>
    public TrainingComparison Compare(TrainingTrace oracle, TimeSpan time, CancellationToken cancel)
    {
        var (clock, random) = (Stopwatch.StartNew(), new Random(Seed));
        var worst = new Dictionary<string, double>(StringComparer.Ordinal);
        var samples = 0;
        foreach (var name in Enumerable.Range(0, SamplesOfTensor).SelectMany(_ => _model.Weights.Keys))
        {
            cancel.ThrowIfCancellationRequested();
            if (samples > 0 && clock.Elapsed > time)
                break;
            var gradient = oracle.Gradients[name];
            var at = random.Next(gradient.Length);
            var difference = Math.Abs(Derivative(_model.Weights[name], at) - gradient[at]) / gradient.Max(Math.Abs);
            worst[name] = Math.Max(worst.GetValueOrDefault(name), difference);
            samples++;
        }

        return new("oracle", "differences", null, [.. worst.Select(pair => new TensorDifference(pair.Key, pair.Value))], Limits)
        {
            Note = string.Create(CultureInfo.InvariantCulture, $"{samples} weights of {worst.Count} tensors; max|Δ| / max|gradient|"),
        };
    }

    private double Derivative(float[] weights, int at)
    {
        var kept = weights[at];
        var (above, below) = ((float)(kept + Step), (float)(kept - Step));
        try
        {
            return (Loss(above) - Loss(below)) / ((double)above - below);
        }
        finally
        {
            weights[at] = kept;
        }

        double Loss(float weight)
        {
            weights[at] = weight;
            return _sequences.Sum(ids => _evaluator.Evaluate(ids, [.. ids.Skip(1), -1])) / _sequences.Sum(ids => ids.Length - 1);
        }
    }
}
