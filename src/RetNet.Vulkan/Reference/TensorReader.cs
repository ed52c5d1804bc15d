using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>Takes tensors by their canonical names and checks their sizes.</summary>
/// <param name="config">The model that they belong to.</param>
/// <param name="find">A tensor's values, row-major, or null when the model has no such tensor.</param>
internal sealed class TensorReader(RetNetConfig config, Func<string, float[]?> find)
{
    private readonly Dictionary<string, float[]> _read = new(StringComparer.Ordinal);

    public RetNetConfig Config => config;

    /// <summary>The tensors that were there.</summary>
    public IReadOnlyDictionary<string, float[]> Read => _read;

    /// <summary>A tensor of exactly <paramref name="length"/> values, or null.</summary>
    public float[]? Optional(string name, int length)
    {
        var values = find(name);
        if (values is not null && values.Length != length)
            throw new InvalidDataException($"tensor {name} has {values.Length} values; this model's has {length}");
        if (values is not null)
            _read[name] = values;
        return values;
    }

    /// <summary>A tensor of exactly <paramref name="length"/> values.</summary>
    public float[] Required(string name, int length) =>
        Optional(name, length) ?? throw new InvalidDataException($"tensor {name} is missing");

    public Linear Linear(string name, int inputSize, int outputSize) => new(
        Required(TensorNames.Weight(name), checked(inputSize * outputSize)), Optional(TensorNames.Bias(name), outputSize), inputSize);

    public Norm Norm(string name, int size) =>
        OptionalNorm(name, size) ?? throw new InvalidDataException($"tensor {TensorNames.Weight(name)} is missing");

    /// <summary>
    /// The model's norm, or a LayerNorm wherever there is a bias: syncdoth's FFN has one among RMS norms.
    /// </summary>
    public Norm? OptionalNorm(string name, int size)
    {
        if (Optional(TensorNames.Weight(name), size) is not { } weight)
            return null;
        var bias = Optional(TensorNames.Bias(name), size);
        return new Norm(weight, bias, config.NormType == NormType.Layer || bias is not null);
    }

    /// <summary>The norm of one head; its factors, if any, are shared by all heads.</summary>
    public Norm HeadNorm(string name) => new(Optional(TensorNames.Weight(name), config.ValueSize), null, config.RetentionNormType == NormType.Layer);
}
