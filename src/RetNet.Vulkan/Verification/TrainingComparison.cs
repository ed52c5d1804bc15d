namespace RetNet.Vulkan.Verification;

/// <summary>One training run compared with another, tensor by tensor.</summary>
/// <param name="Of">The run.</param>
/// <param name="Against">The reference.</param>
/// <param name="Loss">The largest relative difference of a loss; null where losses were not compared.</param>
/// <param name="Tensors">The tensors, in the model's order.</param>
/// <param name="Limits">What is allowed; null where the runs need not agree.</param>
public sealed record TrainingComparison(string Of, string Against, double? Loss, IReadOnlyList<TensorDifference> Tensors, TrainingLimits? Limits)
{
    /// <summary>Something else to know; null where there is nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The tensor with the largest difference of gradients.</summary>
    public TensorDifference WorstGradient => Tensors.MaxBy(tensor => Sortable(tensor.Gradient))!;

    /// <summary>The tensor with the largest difference of updates; null where none was compared.</summary>
    public TensorDifference? WorstUpdate => Tensors.Where(tensor => tensor.Update is not null).MaxBy(tensor => Sortable(tensor.Update!.Value));

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
    /// <param name="unsettled">Elements of every tensor that are left out of updates.</param>
    /// <param name="limits">What is allowed; null where they need not agree.</param>
    public static TrainingComparison Between(
        TrainingTrace run,
        TrainingTrace reference,
        IReadOnlyDictionary<string, float[]> origin,
        IReadOnlyDictionary<string, IReadOnlySet<int>> unsettled,
        TrainingLimits? limits)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(unsettled);
        var loss = run.Losses.Zip(reference.Losses).Max(pair => Sortable(Math.Abs(pair.First - pair.Second) / Math.Abs(pair.Second)));
        return new(run.Name, reference.Name, loss, [.. origin.Keys.Select(Tensor)], limits);

        TensorDifference Tensor(string name)
        {
            var leftOut = unsettled[name];
            double? update = run.Weights is { } weights && reference.Weights is { } expected
                ? Difference(weights[name], expected[name], i => origin[name][i], leftOut.Contains)
                : null;
            return new(name, Difference(run.Gradients[name], reference.Gradients[name], _ => 0, _ => false), update, leftOut.Count);
        }
    }

    /// <summary>‖values − expected‖ / ‖expected − origin‖ over the elements that are not left out.</summary>
    private static double Difference(double[] values, double[] expected, Func<int, double> origin, Func<int, bool> isLeftOut)
    {
        double difference = 0, size = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            if (isLeftOut(i))
                continue;
            difference += (values[i] - expected[i]) * (values[i] - expected[i]);
            size += (expected[i] - origin(i)) * (expected[i] - origin(i));
        }

        return difference == 0 ? 0 : Math.Sqrt(difference / size);
    }

    // NaN is no less wrong than any difference.
    private static double Sortable(double value) => double.IsNaN(value) ? double.PositiveInfinity : value;

    private static bool IsBeyond(double? value, double? limit) => value is { } difference && limit is { } allowed && !(difference <= allowed);
}
