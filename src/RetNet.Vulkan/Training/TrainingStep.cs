using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The gradients of the cross-entropy of sequences (docs/training-step.md): forward pass, loss and backward pass, in the parallel or the chunkwise form.
/// Commands are recorded once and submitted for each micro-batch, whose gradients add up. Dispose it before its parameters; not thread-safe.
/// </summary>
public sealed class TrainingStep : IDisposable
{
    /// <summary>A target that does not count.</summary>
    public const int Ignored = LossHead.Ignored;

    /// <summary>Floating-point operations of a submission, of which a slow GPU does 10¹² a second: far from the two seconds that Windows allows.</summary>
    private const double MostWork = 4e11;

    private readonly GpuDevice _device;
    private readonly PassTables _tables;
    private readonly TrainingProducts _products;
    private readonly TrainingNetwork _network;
    private readonly LossHead _loss;
    private readonly EmbeddingGradient? _embeddingGradient;
    private readonly List<Recording> _forward = [];
    private readonly Recording _evaluation;
    private readonly List<Recording> _backward = [];
    private readonly Recording _clearing;

    /// <summary>Plans and takes the memory, builds the kernels and records the commands.</summary>
    /// <param name="device">The device; must outlive the step.</param>
    /// <param name="config">The model.</param>
    /// <param name="parameters">Its parameters; must outlive the step.</param>
    /// <param name="options">What is taken at once.</param>
    /// <exception cref="ArgumentException">An option is out of range, or torchscale's clamp is asked for of a model whose ε is not torchscale's.</exception>
    /// <exception cref="GpuException">It does not fit the device, with the numbers; or f16 is asked for of a device without matrix units.</exception>
    public TrainingStep(GpuDevice device, RetNetConfig config, ParameterSet parameters, TrainingStepOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.TorchscaleClamp && !config.RetentionEpsScaled)
            throw new ArgumentException("torchscale's clamp is for models whose head norm has torchscale's ε");
        (_device, Config, Options) = (device, config, options);
        var shape = ShapeOf(config, parameters, options);
        Recomputes = options.Recompute ?? Plan(shape, recompute: false).Bytes > device.AvailableBytes;
        var plan = Plan(shape, Recomputes);
        var advice = $"{(Recomputes ? "Take" : "Recompute (--recompute), take")} fewer or shorter sequences at once (--micro-batch, --length), or choose another device.";
        plan.EnsureFits(device, "This training step", advice);

        var embedding = parameters[TensorNames.Weight(TensorNames.TokenEmbedding)];
        _tables = new(device, options.Rows, SublayerKernels.TuningFor(device, config).QueryTile);
        _products = new(device, options.Precision);
        var taken = device.AllocatedBytes;
        try
        {
            _network = new(device, parameters, shape, _products, _tables, WriteTables(new int[options.Rows]), Recomputes);
            _loss = new(device, _products, parameters.Find(TensorNames.Weight(TensorNames.Output)) ?? embedding, options.Rows);
        }
        catch (OutOfDeviceMemoryException e)
        {
            throw new GpuException(
                $"This training step does not fit {device.Gpu.Name}: it needs {plan} beside the {MemoryPlan.Size(taken)} taken before, and the driver gives out {MemoryPlan.Size(e.TakenBytes)} in all. {advice}", e);
        }

        _embeddingGradient = embedding.Trainable ? new(device, embedding, options.Rows) : null;

        var work = 2.0 * options.Rows * parameters.Tensors.Where(tensor => tensor.IsMatrix && tensor.Name.StartsWith("blk.", StringComparison.Ordinal)).Sum(tensor => tensor.Elements) / _network.Sublayers;
        Record(_forward, "forward pass", [BeginForward, .. Enumerable.Range(0, _network.Sublayers).Select(place => (Action<Recorder>)(into => _network.RecordForward(into, place))), _network.RecordOutput], work);
        _evaluation = device.Record("loss", into => _loss.RecordLoss(into, _network.Output.Address, _network.Output.Stride));
        Record(_backward, "backward pass",
            [BeginBackward, .. Enumerable.Range(1, _network.Sublayers).Select(i => (Action<Recorder>)(into => _network.RecordBackward(into, _network.Sublayers - i))), EndBackward],
            (Recomputes ? 3 : 2) * work);
        _clearing = device.Record("clear gradients", parameters.ZeroGradients);
    }

    /// <summary>The model.</summary>
    public RetNetConfig Config { get; }

    /// <summary>What is taken at once.</summary>
    public TrainingStepOptions Options { get; }

    /// <summary>Whether layers' forward passes run again for their gradients.</summary>
    public bool Recomputes { get; }

    /// <summary>Adds the gradient of <paramref name="scale"/> · Σ −ln p to the parameters' gradients.</summary>
    /// <param name="tokens">Tokens, [B, T].</param>
    /// <param name="targets">The token that was to come after each, or <see cref="Ignored"/>, [B, T].</param>
    /// <param name="scale">Factor on the loss that is differentiated: 1 / (number of targets) makes it their mean.</param>
    /// <returns>Σ −ln p over the targets that count, without the factor; no finite number where the loss is none.</returns>
    /// <exception cref="ArgumentException">There are more or fewer tokens or targets than B · T, or one is none of the vocabulary.</exception>
    public double Accumulate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale)
    {
        Set(tokens, targets, scale);
        return Run([.. _forward, .. _backward]);
    }

    /// <summary>Σ −ln p over the targets that count, without gradients.</summary>
    /// <param name="tokens">Tokens, [B, T].</param>
    /// <param name="targets">The token that was to come after each, or <see cref="Ignored"/>, [B, T].</param>
    /// <exception cref="ArgumentException">There are more or fewer tokens or targets than B · T, or one is none of the vocabulary.</exception>
    public double Evaluate(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets)
    {
        Set(tokens, targets, 0);
        return Run([.. _forward, _evaluation]);
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGradients() => _device.Wait(_device.Submit(_clearing));

    /// <inheritdoc/>
    public void Dispose()
    {
        _clearing.Dispose();
        _backward.ForEach(recording => recording.Dispose());
        _evaluation.Dispose();
        _forward.ForEach(recording => recording.Dispose());
        _embeddingGradient?.Dispose();
        _loss.Dispose();
        _network.Dispose();
        _products.Dispose();
        _tables.Dispose();
    }

    private static MemoryPlan Plan(StepShape shape, bool recompute) => shape.Plan(recompute).Add("logits", LossHead.BytesOf(shape.Config.VocabularySize, shape.Rows));

    private static StepShape ShapeOf(RetNetConfig config, ParameterSet parameters, TrainingStepOptions options) => new(
        config, options,
        SubNorm: Enumerable.Range(0, config.Layers).Any(layer => parameters.Find(TensorNames.Weight(TensorNames.FeedForwardSubNorm(layer))) is not null),
        AdapterRank: parameters.Tensors.Where(tensor => AdapterNames.IsA(tensor.Name)).Select(tensor => tensor.Rows).DefaultIfEmpty().Max());

    /// <summary>Records pieces of a pass in as few submissions as their work allows.</summary>
    private void Record(List<Recording> recordings, string name, IReadOnlyList<Action<Recorder>> pieces, double work)
    {
        foreach (var chunk in pieces.Chunk((int)Math.Clamp(MostWork / work, 1, pieces.Count)))
            recordings.Add(_device.Record(name, recorder => Array.ForEach(chunk, piece => piece(recorder))));
    }

    private void BeginForward(Recorder recorder)
    {
        _tables.RecordUpload(recorder);
        recorder.Barrier();
        _network.RecordEmbedding(recorder);
    }

    private void BeginBackward(Recorder recorder)
    {
        _loss.RecordGradients(recorder, _network.Output.Address, _network.OutputGradient.Address, _network.Output.Stride);
        recorder.Barrier();
        _network.RecordOutputBackward(recorder);
    }

    private void EndBackward(Recorder recorder)
    {
        _network.RecordEmbeddingBackward(recorder);
        _embeddingGradient?.Record(recorder, _network.StreamGradient.Address, _network.StreamGradient.Stride, Config.EmbeddingScale);
    }

    private void Set(ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, double scale)
    {
        if (tokens.Length != Options.Rows)
            throw new ArgumentException($"{tokens.Length} tokens for {Options.Sequences} sequences of {Options.Length}", nameof(tokens));
        Vocabulary.RequireKnown(tokens, Config);
        _loss.Set(targets, scale);
        _embeddingGradient?.Set(tokens);
        WriteTables(tokens.ToArray());
    }

    private PassShape WriteTables(int[] tokens) => _tables.Write(
        [.. Enumerable.Range(0, Options.Sequences).Select(i => new Segment(i, 0, tokens.AsMemory(i * Options.Length, Options.Length)))], Options.LengthOfChunks);

    private double Run(IEnumerable<Recording> recordings)
    {
        var submitted = 0UL;
        foreach (var recording in recordings)
            submitted = _device.Submit(recording);
        _device.Wait(submitted);
        return _loss.ReadLoss();
    }
}
