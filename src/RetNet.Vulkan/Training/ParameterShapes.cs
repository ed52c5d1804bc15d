using RetNet.Vulkan.Model;
using static RetNet.Vulkan.Model.TensorNames;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The groups of a model's tensors: the embedding, each layer, the output. Matrices that share an input follow each other (queries, keys, values and
/// gate; the two branches of a gated unit), and so do their biases, so that each such set is one matrix with one bias.
/// </summary>
public static class ParameterShapes
{
    /// <summary>The groups of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="has">Whether it has an optional tensor.</param>
    /// <param name="trainable">Whether a tensor is trained; null trains all.</param>
    /// <param name="decayAll">Whether weight decay applies to vectors too, as torch.optim.AdamW does with a plain list of parameters.</param>
    /// <exception cref="ModelException">Of matrices that share an input some have a bias and some have none.</exception>
    public static IReadOnlyList<ParameterGroup> Of(RetNetConfig config, Func<string, bool> has, Func<string, bool>? trainable = null, bool decayAll = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(has);
        var shapes = TensorShapes.Of(config).Where(shape => shape.Required || has(shape.Name)).ToDictionary(shape => shape.Name, shape => new ParameterShape(
            shape.Name, shape.IsMatrix ? checked((int)shape.Dimensions[1]) : 1, checked((int)shape.Dimensions[0]))
        {
            IsMatrix = shape.IsMatrix,
            Trainable = trainable?.Invoke(shape.Name) ?? true,
            Decays = shape.IsMatrix || decayAll,
        });
        return
        [
            new("embedding", Present(shapes, Weight(TokenEmbedding), Weight(TokenEmbeddingNorm), Bias(TokenEmbeddingNorm))),
            .. Enumerable.Range(0, config.Layers).Select(layer => new ParameterGroup($"layer {layer}", Layer(shapes, layer))),
            .. Present(shapes, Weight(Output), Weight(OutputNorm), Bias(OutputNorm)) is { Count: > 0 } output ? [new ParameterGroup("output", output)] : Array.Empty<ParameterGroup>(),
        ];
    }

    private static List<ParameterShape> Layer(Dictionary<string, ParameterShape> shapes, int layer)
    {
        string[] retention = [Query(layer), Key(layer), Value(layer), Gate(layer)];
        string[] feedForward = [FeedForwardGate(layer), FeedForwardUp(layer)];
        string[] single = [AttentionOutput(layer), FeedForwardDown(layer)];
        string[] norms = [AttentionNorm(layer), HeadNorm(layer), FeedForwardNorm(layer), FeedForwardSubNorm(layer)];
        return
        [
            .. Present(shapes, [.. retention.Select(Weight), .. feedForward.Select(Weight), .. single.Select(Weight)]),
            .. Present(shapes, [.. norms.SelectMany(name => new[] { Weight(name), Bias(name) }), .. single.Select(Bias)]),
            .. Joined(shapes, retention),
            .. Joined(shapes, feedForward),
        ];
    }

    /// <summary>The biases of matrices that share an input: all or none.</summary>
    private static IEnumerable<ParameterShape> Joined(Dictionary<string, ParameterShape> shapes, string[] names)
    {
        var matrices = names.Where(name => shapes.ContainsKey(Weight(name))).ToArray();
        var biases = Present(shapes, [.. matrices.Select(Bias)]);
        if (biases.Count > 0 && biases.Count < matrices.Length)
            throw new ModelException($"'{biases[0].Name}' is there and '{Bias(matrices.First(name => !shapes.ContainsKey(Bias(name))))}' is not: to be trained, matrices that share an input all have a bias or none has.");
        return biases.Select((bias, i) => bias with { Joined = i > 0 });
    }

    private static List<ParameterShape> Present(Dictionary<string, ParameterShape> shapes, params string[] names) => [.. names.Where(shapes.ContainsKey).Select(name => shapes[name])];
}
