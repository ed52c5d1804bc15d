using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Verification;

/// <summary>Training steps on a device, in f32.</summary>
public sealed class DeviceTraining : ITrainingSubject
{
    private readonly ParameterSet _parameters;
    private readonly TrainingStep _step;
    private readonly AdamW _optimiser;
    private readonly double _learningRate;

    /// <summary>Begins with a model's weights.</summary>
    /// <param name="device">The device.</param>
    /// <param name="file">The model; no longer needed afterwards.</param>
    /// <param name="form">The form of retention.</param>
    /// <param name="sequences">Sequences of a step.</param>
    /// <param name="length">Tokens of each.</param>
    /// <param name="options">What steps to take.</param>
    /// <exception cref="GgufException">The file holds no complete RetNet.</exception>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public DeviceTraining(GpuDevice device, GgufFile file, TrainingForm form, int sequences, int length, TrainingCheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Name = form.ToString();
        _learningRate = options.LearningRate;
        var config = RetNetGguf.ReadConfig(file);
        _parameters = ParameterSet.Load(device, config, file, decayAll: true);
        try
        {
            _step = new(device, config, _parameters, new() { Sequences = sequences, Length = length, ChunkLength = form.ChunkLength, TorchscaleClamp = form.TorchscaleClamp });
            _optimiser = new(device, _parameters, new() { Beta1 = options.Beta1, Beta2 = options.Beta2, Eps = options.Eps, WeightDecay = options.WeightDecay });
        }
        catch
        {
            _step?.Dispose();
            _parameters.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public void ZeroGradients() => _step.ZeroGradients();

    /// <inheritdoc/>
    public double Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<int[]> targets, double scale) =>
        _step.Accumulate(tokens.SelectMany(ids => ids).ToArray(), targets.SelectMany(ids => ids).ToArray(), scale);

    /// <inheritdoc/>
    public void Update() => _optimiser.Step(_learningRate);

    /// <inheritdoc/>
    public double[] Gradient(string name) => Read(name, ParameterKind.Gradient);

    /// <inheritdoc/>
    public double[] Weight(string name) => Read(name, ParameterKind.Weight);

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimiser.Dispose();
        _step.Dispose();
        _parameters.Dispose();
    }

    private double[] Read(string name, ParameterKind kind) => Array.ConvertAll(_parameters.Read(name, kind), value => (double)value);
}
