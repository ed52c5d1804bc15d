namespace RetNet.Vulkan.Verification;

/// <summary>One training run compared with another, tensor by tensor.</summary>
/// <param name="Of">The run.</param>
/// <param name="Against">The reference.</param>
/// <param name="Loss">The largest relative difference of a loss; null where losses were not compared.</param>
/// <param name="Tensors">The tensors, in the model's order.</param>
/// <param name="Limits">What is allowed; null where the runs need not agree.</param>
public sealed record TrainingComparison(string Of, string Against, double? Loss, IReadOnlyList<TensorDifference> Tensors, TrainingLimits? Limits)
{
    /// <summary>
    /// The rounding of one element of a gradient in f32, relative to the root mean square of its tensor's gradient. Of elements below a tenth of that, 99.9 % of a
    /// device's and 99 % of PyTorch's are nearer than this to double precision (docs/numerics.md).
    /// </summary>
    public const double Rounding = 1e-5;

    /// <summary>The rounding of an element's update, relative to the root mean square of its tensor's update: no more than the update the other way round.</summary>
    private const double LargestRounding = 2;

    /// <summary>Something else to know; null where there is nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The tensor with the largest difference of gradients.</summary>
    public TensorDifference WorstGradient => Tensors.MaxBy(tensor => Sortable(tensor.Gradient))!;

    /// <summary>The tensor with the largest difference of updates; null where none was compared.</summary>
    public TensorDifference? WorstUpdate => Tensors.Where(tensor => tensor.Update is not null).MaxBy(tensor => Sortable(tensor.Update!.Value));

    /// <summary>The tensor with the largest difference of updates, rounding included; null where none was compared.</summary>
    public TensorDifference? WorstPlainUpdate => Tensors.Where(tensor => tensor.PlainUpdate is not null).MaxBy(tensor => Sortable(tensor.PlainUpdate!.Value));

    /// <summary>Whether something is beyond its limit.</summary>
    public bool IsWrong => Limits is not null && (IsLossWrong || Tensors.Any(tensor => IsGradientWrong(tensor) || IsUpdateWrong(tensor)));

    /// <summary>Whether a loss is beyond its limit.</summary>
    public bool IsLossWrong => IsBeyond(Loss, Limits?.Loss);

    /// <summary>Whether a tensor's gradient is beyond its limit.</summary>
    public bool IsGradientWrong(TensorDifference tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return IsBeyond(tensor.Gradient, Limits?.Gradient);
    }

    /// <summary>Whether a tensor's update is beyond its limit.</summary>
    public bool IsUpdateWrong(TensorDifference tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return IsBeyond(tensor.Update, Limits?.Update);
    }

    /// <summary>Compares two runs that began with the same weights.</summary>
    /// <param name="run">The run.</param>
    /// <param name="reference">The reference.</param>
    /// <param name="origin">The weights before the first step.</param>
    /// <param name="sensitivities">How much rounding of gradients shows in every tensor's update: the oracle's <see cref="TrainingTrace.Sensitivities"/>.</param>
    /// <param name="limits">What is allowed; null where they need not agree.</param>
    public static TrainingComparison Between(
        TrainingTrace run,
        TrainingTrace reference,
        IReadOnlyDictionary<string, float[]> origin,
        IReadOnlyDictionary<string, double[]> sensitivities,
        TrainingLimits? limits)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(sensitivities);
        var loss = run.Losses.Zip(reference.Losses).Max(pair => Sortable(Math.Abs(pair.First - pair.Second) / Math.Abs(pair.Second)));
        return new(run.Name, reference.Name, loss, [.. origin.Keys.Select(Tensor)], limits);

        TensorDifference Tensor(string name)
        {
            var gradient = Difference(run.Gradients[name], reference.Gradients[name], _ => 0, _ => 0);
            if (run.Weights is not { } weights || reference.Weights is not { } expected)
                return new(name, gradient);
            double Origin(int i) => origin[name][i];
            double Allowance(int i) => Math.Min(LargestRounding, Rounding * sensitivities[name][i]);
            return new(name, gradient, Difference(weights[name], expected[name], Origin, Allowance), Difference(weights[name], expected[name], Origin, _ => 0));
        }
    }

    /// <summary>‖max(0, |values − expected| − allowance · U)‖ / ‖expected − origin‖, where U is the root mean square of expected − origin.</summary>
    private static double Difference(double[] values, double[] expected, Func<int, double> origin, Func<int, double> allowance)
    {
        var size = Math.Sqrt(Enumerable.Range(0, expected.Length).Sum(i => (expected[i] - origin(i)) * (expected[i] - origin(i))));
        var unit = size / Math.Sqrt(expected.Length);
        double difference = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            var beyond = Math.Max(0, Math.Abs(values[i] - expected[i]) - (allowance(i) * unit));
            difference += beyond * beyond;
        }

        return difference == 0 ? 0 : Math.Sqrt(difference) / size;
    }

    // NaN is no less wrong than any difference.
    private static double Sortable(double value) => double.IsNaN(value) ? double.PositiveInfinity : value;

    private static bool IsBeyond(double? value, double? limit) => value is { } difference && limit is { } allowed && !(difference <= allowed);
}
