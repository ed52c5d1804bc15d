using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// Training steps on a device, in the parallel and in the chunkwise form, compared with each other, with the oracle in double precision and, where
/// they are there, with a framework's own; and the oracle's gradients with finite differences. Losses, gradients of the first step and updated weights.
/// </summary>
public sealed class TrainingCheck
{
    private readonly ReferenceModel _model;
    private readonly IReadOnlyList<int[]> _sequences;
    private readonly TrainingCheckOptions _options;

    /// <summary>Reads the model for the oracle.</summary>
    /// <param name="file">The model; it may be closed afterwards.</param>
    /// <param name="sequences">Token ids of each sequence, all of one length of at least two.</param>
    /// <param name="options">What steps to take.</param>
    /// <exception cref="GgufException">The file holds no complete RetNet.</exception>
    /// <exception cref="ModelException">The oracle does not fit into memory.</exception>
    public TrainingCheck(GgufFile file, IReadOnlyList<int[]> sequences, TrainingCheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(sequences);
        ArgumentNullException.ThrowIfNull(options);
        (_sequences, _options) = (sequences, options);
        RequireMemory(file, options);
        _model = ReferenceModel.Load(file);
    }

    /// <summary>The forms in which a device takes its steps, one after the other.</summary>
    public static IReadOnlyList<TrainingForm> Forms(TrainingCheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return [new(null, options.TorchscaleClamp), new(options.ChunkLength)];
    }

    /// <summary>Takes all steps and compares.</summary>
    /// <param name="device">Makes what takes steps on the device, for one of <see cref="Forms"/>.</param>
    /// <param name="framework">What a framework's own steps gave; null where that is not known.</param>
    /// <param name="progress">Told what is going on and which share is done.</param>
    /// <param name="cancel">Ends it early.</param>
    public IReadOnlyList<TrainingComparison> Run(
        Func<TrainingForm, ITrainingSubject> device, TrainingTrace? framework, Action<string, double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        var forms = Forms(_options);
        progress?.Invoke("the oracle on the processor", 0);
        var oracle = Trace(() => new OracleTraining(_model, new(null), _options), cancel);
        var exact = _options.TorchscaleClamp ? Trace(() => new OracleTraining(_model, forms[0], _options), cancel) : oracle;
        progress?.Invoke("finite differences", 0.25);
        var differences = new GradientDifferences(_model, _sequences).Compare(oracle, _options.DifferencesTime, cancel);
        progress?.Invoke("the device, all tokens at once", 0.5);
        var parallel = Trace(() => device(forms[0]), cancel);
        progress?.Invoke("the device, chunk by chunk", 0.75);
        var chunkwise = Trace(() => device(forms[1]), cancel);

        List<TrainingComparison> comparisons =
        [
            Compare(parallel, exact, oracle, TrainingLimits.Oracle),
            Compare(chunkwise, oracle, oracle, TrainingLimits.Oracle),
            // The clamp makes ε another.
            Compare(chunkwise, parallel, oracle, _options.TorchscaleClamp ? null : TrainingLimits.Forms),
            differences,
        ];
        if (framework is null)
            return comparisons;
        // torchscale trains in its parallel form, whose ε the clamp decides; flash-linear-attention's forms all have the same.
        var isPlain = !_model.Config.RetentionEpsScaled;
        var isExact = isPlain || _options.TorchscaleClamp;
        return
        [
            .. comparisons,
            Compare(exact, framework, oracle, isExact ? TrainingLimits.Parity : null),
            Compare(parallel, framework, oracle, isExact ? TrainingLimits.Parity : null),
            Compare(chunkwise, framework, oracle, isPlain ? TrainingLimits.Parity : null),
        ];
    }

    private TrainingTrace Trace(Func<ITrainingSubject> create, CancellationToken cancel)
    {
        using var subject = create();
        return TrainingTrace.Of(subject, [.. _model.Weights.Keys], _sequences, _options.Steps, cancel);
    }

    private TrainingComparison Compare(TrainingTrace run, TrainingTrace reference, TrainingTrace oracle, TrainingLimits? limits) =>
        TrainingComparison.Between(run, reference, _model.Weights, oracle.Sensitivities, limits);

    /// <summary>Of every weight: two models, gradients and moments of the oracle that runs, and gradients, sensitivities and weights of each run in double.</summary>
    private static void RequireMemory(GgufFile file, TrainingCheckOptions options)
    {
        var runs = options.TorchscaleClamp ? 4 : 3;
        var bytes = file.Tensors.Values.Sum(tensor => (double)tensor.Elements) * (2 * sizeof(float) + 4 * sizeof(double) + 3 * runs * sizeof(double));
        if (bytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2.0)
            throw new ModelException($"{file.Path}: comparing its training with the oracle takes {MemoryPlan.Size((ulong)bytes)} of memory, more than half of what is there; check a smaller model");
    }
}
