using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>Training steps of the oracle, in double precision.</summary>
public sealed class OracleTraining : ITrainingSubject
{
    private readonly ReferenceGradients _gradients;
    private readonly ReferenceAdamW _optimiser;
    private readonly double _learningRate;

    /// <summary>Begins with a model's weights, of which it takes a copy.</summary>
    public OracleTraining(ReferenceModel model, TrainingForm form, TrainingCheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        var copy = new ReferenceModel(model.Config, name => (float[]?)model.Weights.GetValueOrDefault(name)?.Clone());
        _gradients = new(copy, form.ChunkLength, form.TorchscaleClamp);
        _optimiser = new(copy) { Beta1 = options.Beta1, Beta2 = options.Beta2, Eps = options.Eps, WeightDecay = options.WeightDecay };
        _learningRate = options.LearningRate;
        Name = form.TorchscaleClamp ? "oracle, clamped" : "oracle";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public void ZeroGradients() => _gradients.Clear();

    /// <inheritdoc/>
    public double Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<int[]> targets, double scale) =>
        tokens.Zip(targets).Sum(pair => _gradients.Accumulate(pair.First, pair.Second, scale));

    /// <inheritdoc/>
    public void Update() => _optimiser.Step(_gradients, _learningRate);

    /// <inheritdoc/>
    public double[] Gradient(string name) => _gradients[name];

    /// <inheritdoc/>
    public double[] Weight(string name) => _optimiser.Weights(name).ToArray();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
