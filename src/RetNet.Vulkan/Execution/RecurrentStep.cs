using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// One token of each sequence through the network in the recurrent form, as commands: token → embedding → layers → logits → next
/// token. Retention is one dispatch, [rotate, update and read the state, gate]. For one sequence, on a GPU up to eight, and for more where their products are
/// <see cref="MatMulKind.SubgroupMatrix"/>, the product behind it finishes the head norm; otherwise, and for a LayerNorm of the heads, that is a dispatch of its own with the gate.
/// </summary>
internal sealed class RecurrentStep : IDisposable
{
    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly RetentionState _state;
    private readonly int _sequences;
    private readonly Activations _activations;
    private readonly StepEnds _ends;
    private readonly DispatchChain _chain;
    private readonly Network _network;
    private readonly Kernel<RetentionArguments> _retention;
    private readonly HeadNorm? _headNorm;

    /// <param name="model">The model.</param>
    /// <param name="state">The sequences' states; as many take part in a step as it has.</param>
    public RecurrentStep(RetNetModel model, RetentionState state)
    {
        (_model, _config, _state, _sequences) = (model, model.Config, state, state.Positions.Count);
        var device = model.Device;
        var tuning = Tuning.For(device.Capabilities);
        var (products, precision) = Tuning.ProductsOfSequences(model, _sequences);
        var finishesNorm = tuning.FusesNorms(_sequences) || MatMul.FinishesHeadNorm(device.Capabilities, products, _sequences, _config.Heads, _config.ValueSize);
        var leavesNorm = !finishesNorm || _config.RetentionNormType == NormType.Layer;
        var chain = Network.Chain(model, tuning, _sequences, products);
        _chain = new(enabled: chain != ChainScope.None);
        _activations = new Activations(device, _config, HeadTiles(device, _config, _sequences), rows: _sequences, logitRows: _sequences, precision, chain: chain);
        _ends = new StepEnds(model, _activations);
        _headNorm = leavesNorm ? new(model, _activations, Table.Positions, scoreSums: 0) : null;
        _network = new(model, _activations, tuning, _chain, finishesHeadNorm: !leavesNorm, products);
        _retention = KernelFactory.RecurrentRetention(device, _config, tuning, state.Type, _sequences, leavesNorm, _chain.Enabled, halfOutput: !leavesNorm && precision == ProductPrecision.F16);
        device.Run("clear activations", _activations.Clear);
    }

    /// <summary>The sequences' tokens.</summary>
    public TokenLog Log => _ends.Log;

    /// <summary>Where the sequences are and how they sample.</summary>
    public SequenceTable Table => _ends.Table;

    /// <summary>Bytes of the device's memory that it takes beside the states.</summary>
    public static ulong BytesOf(GpuDevice device, RetNetConfig config, int sequences) =>
        Math.Max(ActivationBytes(device, config, sequences, ProductPrecision.F32), ActivationBytes(device, config, sequences, ProductPrecision.F16)) + StepEnds.BytesOf(sequences);

    /// <summary>The whole step.</summary>
    public void Record(Recorder recorder)
    {
        RecordLayers(recorder);
        RecordLogits(recorder);
        _ends.RecordSample(recorder);
        _chain.Leave(recorder);
    }

    /// <summary>Takes each sequence's token at its position and advances the state; leaves x in the residual stream.</summary>
    public void RecordLayers(Recorder recorder)
    {
        _chain.Leave(recorder);
        _activations.BeginChain(recorder);
        _ends.RecordEmbedding(recorder);
        _network.RecordLayers(recorder, _sequences, RecordRetention);
    }

    /// <summary>Logits from the residual stream.</summary>
    public void RecordLogits(Recorder recorder)
    {
        _network.RecordOutputNorm(recorder, _sequences);
        _network.RecordLogits(recorder, 0, _sequences);
    }

    /// <summary>Copies the logits of the first sequence into a buffer that the host can read.</summary>
    public void CopyLogits(Recorder recorder, GpuBuffer destination) => _activations.CopyLogits(recorder, destination, destination.Bytes);

    public void Dispose()
    {
        _network.Dispose();
        _headNorm?.Dispose();
        _retention.Dispose();
        _ends.Dispose();
        _activations.Dispose();
    }

    private static ulong ActivationBytes(GpuDevice device, RetNetConfig config, int sequences, ProductPrecision precision) => Activations.BytesOf(
        config, HeadTiles(device, config, sequences), sequences, sequences, precision, chain: Tuning.For(device.Capabilities).Chain(sequences));

    private static int HeadTiles(GpuDevice device, RetNetConfig config, int sequences) =>
        Tuning.For(device.Capabilities).RetentionTiles(RetentionState.VectorsOf(config), sequences);

    private void RecordRetention(Recorder recorder, int layer)
    {
        _chain.Join(recorder);
        recorder.Dispatch(_retention, new RetentionArguments
        {
            Projections = _activations.Projections(layer),
            HeadWeight = _model.Layers[layer].HeadNorm,
            State = _state.LayerAddress(layer),
            Decay = _model.Decay,
            Angles = _model.Angles,
            Positions = Table.Positions,
            StepsLeft = Table.StepsLeft,
            Y = _headNorm is null ? _activations.Retained(layer) : _activations.HeadOutputs(layer),
            Squares = _activations.HeadSquares(layer),
            Stride = (uint)_activations.ProjectionStride,
            OutputStride = (uint)_activations.RetainedStride,
            SlotVectors = _state.SlotVectors,
            ValueSize = (uint)_config.ValueSize,
            ValueVectors = (uint)RetentionState.VectorsOf(_config),
            Group = (uint)(_config.Heads / _config.KeyValueHeads),
            KeyScale = 1 / MathF.Sqrt(_config.KeySize),
            Eps = _config.RetentionEps,
        }, (uint)_activations.HeadTiles, (uint)_config.Heads, (uint)_sequences);
        if (_headNorm is null)
            return;
        _chain.Leave(recorder);
        _headNorm.Record(recorder, layer, _sequences);
    }
}
