using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Retention of many tokens in f32 (shaders/retention/chunk_*.comp): the state's way through the chunks, then the outputs of all chunks at once.</summary>
internal sealed class ChunkRetention : IChunkRetention
{
    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly RetentionState _state;
    private readonly Tuning _tuning;
    private readonly Activations _activations;
    private readonly PassTables _tables;
    private readonly uint _chunkLength;
    private readonly ulong _scoreSums;
    private readonly GpuBuffer _chunkStates;
    private readonly Kernel<ChunkStatesArguments> _states;
    private readonly Kernel<ChunkOutputsArguments> _outputs;

    /// <param name="model">The model.</param>
    /// <param name="state">The sequences' states.</param>
    /// <param name="options">How tokens are taken in.</param>
    /// <param name="activations">The arena.</param>
    /// <param name="tables">What rows belong to.</param>
    /// <param name="chunks">Chunks of a pass at most.</param>
    /// <param name="scoreSums">Device address of Σ|score| for torchscale's clamp; 0 without it.</param>
    public ChunkRetention(RetNetModel model, RetentionState state, SequenceOptions options, Activations activations, PassTables tables, int chunks, ulong scoreSums)
    {
        (_model, _config, _state, _activations, _tables, _scoreSums) = (model, model.Config, state, activations, tables, scoreSums);
        _tuning = Tuning.For(model.Device.Capabilities).ForValues(model.Config.ValueSize);
        _chunkLength = (uint)(options.ChunkLength ?? options.PassLength);
        _chunkStates = model.Device.Allocate("chunk states", BytesOf(_config, chunks));
        _states = KernelFactory.ChunkStates(model.Device, _config, _tuning, state.Type);
        _outputs = KernelFactory.ChunkOutputs(model.Device, _config, _tuning, options.TorchscaleClamp);
    }

    /// <summary>Bytes of the states that chunks begin with.</summary>
    public static ulong BytesOf(RetNetConfig config, int chunks) => (ulong)chunks * RetentionState.LayerBytes(config, StateType.F32);

    public void Record(Recorder recorder, int layer, PassShape shape, bool statesOnly)
    {
        var projections = ProjectionAddresses.Of(_config, _activations, layer);
        var stride = (uint)_activations.ProjectionStride;
        var vectors = (uint)RetentionState.VectorsOf(_config);
        var valueTiles = (vectors + _tuning.ChunkTileVectors - 1) / _tuning.ChunkTileVectors;
        var keyRows = _tuning.ChunkSlices * _tuning.ChunkKeyRows;
        recorder.Dispatch(_states, new ChunkStatesArguments
        {
            Keys = projections.Keys,
            Values = projections.Values,
            State = _state.LayerAddress(layer),
            ChunkStates = _chunkStates.Address,
            Segments = _tables.Segments,
            Decay = _model.Decay,
            Positions = _tables.Positions,
            KeyStride = stride,
            ValueStride = stride,
            SlotVectors = _state.SlotVectors,
            ValueSize = (uint)_config.ValueSize,
            ValueVectors = vectors,
            ChunkLength = _chunkLength,
            ValueTiles = valueTiles,
        }, valueTiles * (((uint)_config.KeySize + keyRows - 1) / keyRows), (uint)(_config.Heads * shape.Segments));
        recorder.Barrier();
        if (statesOnly)
            return;

        recorder.Dispatch(_outputs, new ChunkOutputsArguments
        {
            Queries = projections.Queries,
            Keys = projections.Keys,
            Values = projections.Values,
            ChunkStates = _chunkStates.Address,
            Tiles = _tables.QueryTiles,
            Decay = _model.Decay,
            O = _activations.HeadOutputs(layer),
            ScoreSums = _scoreSums,
            QueryStride = stride,
            KeyStride = stride,
            ValueStride = stride,
            OutputStride = (uint)_activations.RetainedStride,
            ValueSize = (uint)_config.ValueSize,
            ValueVectors = vectors,
        }, (uint)(shape.QueryTiles * _config.Heads), valueTiles);
        recorder.Barrier();
    }

    public void Dispose()
    {
        _outputs.Dispose();
        _states.Dispose();
        _chunkStates.Dispose();
    }
}
