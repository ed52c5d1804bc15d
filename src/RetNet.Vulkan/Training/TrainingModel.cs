using System.Numerics.Tensors;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>A model on a device with all that trains it: its parameters, the recorded step and the optimiser. Dispose it before the device; not thread-safe.</summary>
public sealed class TrainingModel : ITrainable
{
    private readonly ParameterSet _parameters;
    private readonly TrainingStep _step;
    private readonly Optimizer _optimizer;
    private readonly LoraOptions? _lora;
    private readonly HashSet<string> _adapted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Tensor, ParameterKind Kind)> _state;

    private TrainingModel(GpuDevice device, RetNetConfig config, ParameterSet parameters, TrainingModelOptions options)
    {
        (Config, Sequences, _parameters, _lora) = (config, options.Step.Sequences, parameters, options.Lora);
        try
        {
            FillAdapters(options.Seed);
            _optimizer = options.Optimizer(device, parameters);
            _step = new TrainingStep(device, config, parameters, options.Step with { AdapterScale = _lora?.Scale ?? 1 });
        }
        catch
        {
            _optimizer?.Dispose();
            parameters.Dispose();
            throw;
        }

        Weights = [.. TensorShapes.Of(config).Where(shape => parameters.Find(shape.Name) is not null)];
        var state = parameters.Tensors.Where(tensor => tensor.Trainable).SelectMany(StateOf).ToArray();
        State = [.. state.Select(part => part.Shape)];
        _state = state.ToDictionary(part => part.Shape.Name, part => (part.Tensor, part.Kind), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public RetNetConfig Config { get; }

    /// <inheritdoc/>
    public int Sequences { get; }

    /// <inheritdoc/>
    public IReadOnlyList<TensorShape> Weights { get; }

    /// <inheritdoc/>
    public IReadOnlyList<TensorShape> State { get; }

    /// <inheritdoc/>
    public long Updates
    {
        get => _optimizer.Steps;
        set => _optimizer.Steps = value;
    }

    /// <summary>A model from a file.</summary>
    /// <param name="device">The device; must outlive the model.</param>
    /// <param name="config">The file's settings, or others that its tensors fit.</param>
    /// <param name="file">The weights, of any type; no longer needed afterwards.</param>
    /// <param name="options">What is trained, and how.</param>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    /// <exception cref="TrainingException">An adapter does not fit the model.</exception>
    public static TrainingModel Load(GpuDevice device, RetNetConfig config, GgufFile file, TrainingModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var adapters = Adapters(config, options.Lora);
        return new(device, config, ParameterSet.Load(device, config, file, options.Lora is null ? null : _ => false, more: adapters), options);
    }

    /// <summary>A model of random weights.</summary>
    /// <param name="device">The device; must outlive the model.</param>
    /// <param name="config">The model's settings.</param>
    /// <param name="tied">Whether the embedding is the output projection too.</param>
    /// <param name="options">How it is trained; there are no adapters, since there is nothing to adapt.</param>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static TrainingModel Random(GpuDevice device, RetNetConfig config, bool tied, TrainingModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(device, config, ParameterSet.Random(device, config, new Initialisation(options.Seed), tied), options with { Lora = null });
    }

    /// <inheritdoc/>
    public void ZeroGradients() => _step.ZeroGradients();

    /// <inheritdoc/>
    public double Accumulate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale) => _step.Accumulate(tokens, targets, scale);

    /// <inheritdoc/>
    public double Evaluate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets) => _step.Evaluate(tokens, targets);

    /// <inheritdoc/>
    public double Update(double learningRate, double lossScale) => _optimizer.Step(learningRate, lossScale);

    /// <inheritdoc/>
    public float[] ReadWeight(string name)
    {
        var values = _parameters.Read(name);
        if (_adapted.Contains(name))
            Merge(_parameters[name], values);
        return values;
    }

    /// <inheritdoc/>
    public float[] ReadState(string name) => _parameters.Read(_state[name].Tensor, _state[name].Kind);

    /// <inheritdoc/>
    public void WriteState(string name, ReadOnlySpan<float> values) => _parameters.Write(_state[name].Tensor, _state[name].Kind, values.ToArray());

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _optimizer.Dispose();
        _parameters.Dispose();
    }

    private static ParameterGroup[] Adapters(RetNetConfig config, LoraOptions? lora)
    {
        if (lora is null)
            return [];
        var shapes = TensorShapes.Of(config).ToDictionary(shape => shape.Name, StringComparer.Ordinal);
        return [new("adapters", [.. lora.NamesIn(config).SelectMany(name => Factors(name, shapes[TensorNames.Weight(name)]))])];

        ParameterShape[] Factors(string name, TensorShape matrix) =>
            [new(AdapterNames.A(name), lora.Rank, (int)matrix.Dimensions[0]), new(AdapterNames.B(name), (int)matrix.Dimensions[1], lora.Rank)];
    }

    /// <summary>A is random, as a projection of the feed-forward network is to begin with; B is zero, so that nothing changes at first.</summary>
    private void FillAdapters(ulong seed)
    {
        var initialisation = new Initialisation(seed);
        foreach (var name in _lora?.NamesIn(Config) ?? [])
        {
            _adapted.Add(TensorNames.Weight(name));
            var a = _parameters[AdapterNames.A(name)];
            var values = new float[a.Elements];
            for (var row = 0; row < a.Rows; row++)
                initialisation.Fill(Config, a.Shape, row, values.AsSpan(row * a.Columns, a.Columns));
            _parameters.Write(a.Name, ParameterKind.Weight, values);
        }
    }

    /// <summary>W + α/r · B A.</summary>
    private void Merge(ParameterTensor matrix, float[] values)
    {
        var name = matrix.Name[..^".weight".Length];
        var (a, b) = (_parameters.Read(AdapterNames.A(name)), _parameters.Read(AdapterNames.B(name)));
        var (rank, columns, scale) = (_lora!.Rank, matrix.Columns, (float)_lora.Scale);
        Parallel.For(0, matrix.Rows, row =>
        {
            var target = values.AsSpan(row * columns, columns);
            for (var i = 0; i < rank; i++)
                TensorPrimitives.MultiplyAdd(a.AsSpan(i * columns, columns), scale * b[row * rank + i], target, target);
        });
    }

    /// <summary>Of the model's own tensors the weights are in the model's file; adapters are in none.</summary>
    private IEnumerable<(TensorShape Shape, string Tensor, ParameterKind Kind)> StateOf(ParameterTensor tensor)
    {
        foreach (var kind in Enum.GetValues<ParameterKind>())
        {
            if (kind == ParameterKind.Gradient || (kind == ParameterKind.Weight && _lora is null) || !_parameters.Has(tensor.Name, kind))
                continue;
            var name = kind switch
            {
                ParameterKind.FirstMoment => tensor.Name + ".first_moment",
                ParameterKind.SecondMoment => tensor.Name + ".second_moment",
                _ => tensor.Name,
            };
            yield return (new(name, tensor.IsMatrix ? [tensor.Columns, tensor.Rows] : [tensor.Columns], Required: true), tensor.Name, kind);
        }
    }
}
