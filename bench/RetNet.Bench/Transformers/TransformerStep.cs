using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Transformers;

/// <summary>
/// One token of each sequence through a Transformer, as commands: <see cref="RecurrentStep"/> with attention in the place of retention,
/// [rotate, append to the cache, attend to a share of it] and, where a head is shared, [add the shares up].
/// </summary>
internal sealed class TransformerStep : IDisposable
{
    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly int _sequences;
    private readonly int _splits;
    private readonly long _capacity;
    private readonly Activations _activations;
    private readonly StepEnds _ends;
    private readonly Network _network;
    private readonly GpuBuffer _shares;
    private readonly Kernel<AttentionArguments> _attention;
    private readonly Kernel<AttentionCombineArguments>? _combine;
    private readonly Kernel<RoundArguments>? _round;

    /// <param name="model">A model of a <see cref="TransformerShape"/>.</param>
    /// <param name="sequences">Sequences at once.</param>
    /// <param name="capacity">Positions that the cache holds.</param>
    public TransformerStep(RetNetModel model, int sequences, long capacity)
    {
        (_model, _config, _sequences, _capacity) = (model, model.Config, sequences, capacity);
        var device = model.Device;
        var tuning = Tuning.For(device.Capabilities);
        var attention = AttentionTuning.For(device.Capabilities);
        _splits = Splits(device, _config, sequences, capacity);
        var (products, precision) = Tuning.ProductsOfSequences(model, sequences);
        _activations = new Activations(device, _config, headTiles: 0, rows: sequences, logitRows: sequences, precision);
        _ends = new StepEnds(model, _activations);
        _network = new(model, _activations, tuning, new DispatchChain(enabled: false), finishesHeadNorm: false, products);
        _round = precision == ProductPrecision.F16 ? KernelFactory.Round(device, tuning) : null;
        _shares = device.Allocate("attention", ShareBytes(_config, sequences, _splits));
        Cache = new KeyValueCache(device, _config, sequences, capacity);
        _attention = KernelFactory.Attention(device, attention, _config.KeySize);
        _combine = _splits > 1 ? KernelFactory.AttentionCombine(device, attention, _config.KeySize) : null;
        device.Run("clear activations", _activations.Clear);
    }

    /// <summary>The sequences' tokens.</summary>
    public TokenLog Log => _ends.Log;

    /// <summary>Where the sequences are and how they sample.</summary>
    public SequenceTable Table => _ends.Table;

    /// <summary>Keys and values.</summary>
    public KeyValueCache Cache { get; }

    /// <summary>What it takes of the device's memory.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config, int sequences, long capacity) => new MemoryPlan()
        .Add("keys and values", KeyValueCache.BytesOf(config, sequences, capacity))
        .Add("decoding", Math.Max(ActivationBytes(config, sequences, ProductPrecision.F32), ActivationBytes(config, sequences, ProductPrecision.F16)) + ShareBytes(config, sequences, Splits(device, config, sequences, capacity)) + StepEnds.BytesOf(sequences));

    /// <summary>The whole step.</summary>
    public void Record(Recorder recorder)
    {
        RecordLogits(recorder);
        _ends.RecordSample(recorder);
        recorder.Barrier();
    }

    /// <summary>Takes each sequence's token at its position and leaves its logits.</summary>
    public void RecordLogits(Recorder recorder)
    {
        _ends.RecordEmbedding(recorder);
        _network.RecordLayers(recorder, _sequences, RecordAttention);
        _network.RecordOutputNorm(recorder, _sequences);
        _network.RecordLogits(recorder, 0, _sequences);
    }

    /// <summary>Copies the logits of all sequences, [sequences][V], into a buffer that the host can read.</summary>
    public void CopyLogits(Recorder recorder, GpuBuffer destination) => _activations.CopyLogits(recorder, destination, destination.Bytes);

    public void Dispose()
    {
        _round?.Dispose();
        _combine?.Dispose();
        _attention.Dispose();
        Cache.Dispose();
        _shares.Dispose();
        _network.Dispose();
        _ends.Dispose();
        _activations.Dispose();
    }

    private static ulong ActivationBytes(RetNetConfig config, int sequences, ProductPrecision precision) => Activations.BytesOf(config, 0, sequences, sequences, precision);

    private static int Splits(GpuDevice device, RetNetConfig config, int sequences, long capacity) =>
        AttentionTuning.For(device.Capabilities).Splits(config.Heads, sequences, capacity);

    /// <summary>A share's (m, Σp) and Σp·V, f32.</summary>
    private static ulong ShareBytes(RetNetConfig config, int sequences, int splits) => ShareCount(config, sequences, splits) * (2 + (ulong)config.KeySize) * sizeof(float);

    private static ulong ShareCount(RetNetConfig config, int sequences, int splits) => (ulong)sequences * (ulong)config.Heads * (ulong)splits;

    private void RecordAttention(Recorder recorder, int layer)
    {
        var partials = _shares.Address;
        var sums = partials + ShareCount(_config, _sequences, _splits) * (ulong)_config.KeySize * sizeof(float);
        recorder.Barrier();
        recorder.Dispatch(_attention, new AttentionArguments
        {
            Projections = _activations.Projections(layer),
            Keys = Cache.Keys(layer),
            Values = Cache.Values(layer),
            Angles = _model.Angles,
            Positions = Table.Positions,
            StepsLeft = Table.StepsLeft,
            Partials = partials,
            Sums = sums,
            Y = _activations.HeadOutputs(layer),
            Stride = (uint)_activations.ProjectionStride,
            OutputStride = (uint)_activations.RetainedStride,
            Capacity = (uint)_capacity,
            Scale = 1 / MathF.Sqrt(_config.KeySize),
        }, (uint)_splits, (uint)_config.Heads, (uint)_sequences);
        if (_combine is not null)
            RecordCombination(recorder, layer, partials, sums);
        if (_round is null)
            return;
        recorder.Barrier();
        recorder.Dispatch(_round, new RoundArguments
        {
            X = _activations.HeadOutputs(layer),
            Y = _activations.Retained(layer),
            Quads = (uint)_activations.RetainedStride / 4,
        }, (uint)_sequences);
    }

    private void RecordCombination(Recorder recorder, int layer, ulong partials, ulong sums)
    {
        recorder.Barrier();
        recorder.Dispatch(_combine!, new AttentionCombineArguments
        {
            Partials = partials,
            Sums = sums,
            StepsLeft = Table.StepsLeft,
            Y = _activations.HeadOutputs(layer),
            OutputStride = (uint)_activations.RetainedStride,
            Splits = (uint)_splits,
        }, (uint)_config.Heads, (uint)_sequences);
    }
}
