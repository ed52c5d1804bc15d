using RetNet.Vulkan.Gguf;
using static RetNet.Vulkan.Model.TensorNames;

namespace RetNet.Vulkan.Model;

/// <summary>The tensors that follow from a <see cref="RetNetConfig"/>, in the order in which the forward pass meets them.</summary>
public static class TensorShapes
{
    /// <summary>Every tensor that a model of <paramref name="config"/> has or may have.</summary>
    public static IEnumerable<TensorShape> Of(RetNetConfig config)
    {
        yield return Matrix(TokenEmbedding, config.Width, config.VocabularySize);
        foreach (TensorShape shape in Norm(config, TokenEmbeddingNorm, config.Width, required: false))
            yield return shape;
        for (int layer = 0; layer < config.Layers; layer++)
        {
            foreach (TensorShape shape in Retention(config, layer).Concat(FeedForward(config, layer)))
                yield return shape;
        }

        if (!config.PostNorm)
        {
            foreach (TensorShape shape in Norm(config, OutputNorm, config.Width))
                yield return shape;
        }

        yield return Matrix(Output, config.Width, config.VocabularySize) with { Required = false };
    }

    /// <summary>Checks that <paramref name="file"/> has every required tensor, all in their shapes, and no other.</summary>
    /// <exception cref="GgufException">A tensor is missing, has another shape or is unknown; the message names it.</exception>
    public static void Validate(GgufFile file, RetNetConfig config)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (TensorShape shape in Of(config))
        {
            known.Add(shape.Name);
            if (file.TryGetTensor(shape.Name, out GgufTensor? tensor))
                RequireShape(file, tensor, shape);
            else if (shape.Required)
                throw new GgufException(file.Path, $"lacks tensor '{shape.Name}' {GgufTensor.FormatShape(shape.Dimensions)}; convert the model again");
        }

        if (file.Tensors.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new GgufException(file.Path, $"tensor '{unknown}' {file.Tensors[unknown].Shape} belongs to no RetNet of these settings; convert the model again");
    }

    private static void RequireShape(GgufFile file, GgufTensor tensor, TensorShape shape)
    {
        if (!tensor.Dimensions.SequenceEqual(shape.Dimensions))
            throw new GgufException(file.Path, $"tensor '{tensor.Name}' has the shape {tensor.Shape}, the model's settings ask for {GgufTensor.FormatShape(shape.Dimensions)}; convert the model again");
        if (!shape.IsMatrix && tensor.Type.Type != GgmlType.F32)
            throw new GgufException(file.Path, $"tensor '{tensor.Name}' is of type {tensor.Type}, norms and biases are f32; convert the model again");
    }

    private static IEnumerable<TensorShape> Retention(RetNetConfig config, int layer) =>
    [
        .. Norm(config, AttentionNorm(layer), config.Width),
        .. Linear(Query(layer), config.Width, config.QueryWidth),
        .. Linear(Key(layer), config.Width, config.KeyWidth),
        .. Linear(Value(layer), config.Width, config.ValueWidth),
        .. config.OutputGate ? Linear(Gate(layer), config.Width, config.OutputWidth) : [],
        Vector(Weight(HeadNorm(layer)), config.ValueSize, required: false),
        .. Linear(AttentionOutput(layer), config.OutputWidth, config.Width),
    ];

    private static IEnumerable<TensorShape> FeedForward(RetNetConfig config, int layer) =>
    [
        .. Norm(config, FeedForwardNorm(layer), config.Width),
        .. config.GatedFeedForward ? Linear(FeedForwardGate(layer), config.Width, config.FeedForwardSize) : [],
        .. Linear(FeedForwardUp(layer), config.Width, config.FeedForwardSize),
        Vector(Weight(FeedForwardSubNorm(layer)), config.FeedForwardSize, required: false),
        Vector(Bias(FeedForwardSubNorm(layer)), config.FeedForwardSize, required: false),
        .. Linear(FeedForwardDown(layer), config.FeedForwardSize, config.Width),
    ];

    private static IEnumerable<TensorShape> Linear(string name, int inputs, int outputs) =>
        [Matrix(name, inputs, outputs), Vector(Bias(name), outputs, required: false)];

    private static IEnumerable<TensorShape> Norm(RetNetConfig config, string name, int width, bool required = true)
    {
        yield return Vector(Weight(name), width, required);
        if (config.NormType == NormType.Layer)
            yield return Vector(Bias(name), width, required);
    }

    private static TensorShape Matrix(string name, int inputs, int outputs) => new(Weight(name), [inputs, outputs], Required: true);

    private static TensorShape Vector(string name, int length, bool required) => new(name, [length], required);
}
