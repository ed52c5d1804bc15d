using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// Low-rank adapters (Hu et al., "LoRA", 2021): y = W x + α/r · B (A x) with A [r, inputs] and B [outputs, r] trained and W as it
/// is. A begins as a Linear of torch does, uniform within ±1/√inputs, B with zeros.
/// </summary>
public sealed record LoraOptions
{
    /// <summary>The targets by the names that the command line has for them.</summary>
    public static IReadOnlyDictionary<string, Func<int, string>> Targets { get; } = new Dictionary<string, Func<int, string>>(StringComparer.Ordinal)
    {
        ["q"] = TensorNames.Query,
        ["k"] = TensorNames.Key,
        ["v"] = TensorNames.Value,
        ["g"] = TensorNames.Gate,
        ["o"] = TensorNames.AttentionOutput,
        ["gate"] = TensorNames.FeedForwardGate,
        ["up"] = TensorNames.FeedForwardUp,
        ["down"] = TensorNames.FeedForwardDown,
    };

    /// <summary>Rank of every adapter, r.</summary>
    public required int Rank { get; init; }

    /// <summary>α; an adapter's factor is α/r.</summary>
    public required double Alpha { get; init; }

    /// <summary>Which matrices of every layer have one: keys of <see cref="Targets"/>.</summary>
    public required IReadOnlyList<string> Matrices { get; init; }

    /// <summary>α/r.</summary>
    public double Scale => Alpha / Rank;

    /// <summary>The matrices of a model that have an adapter, without <c>.weight</c>.</summary>
    /// <exception cref="TrainingException">The model has no such matrix, or one has less rows or columns than the rank.</exception>
    public IReadOnlyList<string> NamesIn(RetNetConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var shapes = TensorShapes.Of(config).ToDictionary(shape => shape.Name);
        var names = Enumerable.Range(0, config.Layers).SelectMany(layer => Matrices.Select(matrix => Targets[matrix](layer))).ToArray();
        foreach (var name in names)
        {
            if (!shapes.TryGetValue(TensorNames.Weight(name), out var shape))
                throw new TrainingException($"the model has no matrix '{name}' to adapt; leave it out of the targets");
            if (shape.Dimensions.Min() < Rank)
                throw new TrainingException(FormattableString.Invariant($"an adapter of rank {Rank} is larger than '{name}' itself, [{shape.Dimensions[0]}, {shape.Dimensions[1]}]; choose a lower rank"));
        }

        return names;
    }
}
