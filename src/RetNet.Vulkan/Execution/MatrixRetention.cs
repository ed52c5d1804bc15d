using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Retention of many tokens on matrix units (shaders/retention/matrix_*.comp), from f16 projections: the state's way through the
/// chunks and the scores within them at once, then the outputs.
/// </summary>
internal sealed class MatrixRetention : IChunkRetention
{
    /// <summary>The longest chunk; scores are kept, a row of them for every token and head.</summary>
    private const int LongestChunk = 256;

    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly RetentionState _state;
    private readonly Activations _activations;
    private readonly PassTables _tables;
    private readonly int _chunkLength;
    private readonly GpuBuffer _chunkStates;
    private readonly GpuBuffer _scores;
    private readonly Kernel<MatrixStatesArguments> _statesKernel;
    private readonly Kernel<MatrixScoresArguments> _scoresKernel;
    private readonly Kernel<MatrixOutputsArguments> _outputsKernel;

    /// <param name="model">The model.</param>
    /// <param name="state">The sequences' states.</param>
    /// <param name="options">How tokens are taken in.</param>
    /// <param name="activations">The arena; its projections are f16.</param>
    /// <param name="tables">What rows belong to.</param>
    /// <param name="chunks">Chunks of a pass at most.</param>
    public MatrixRetention(RetNetModel model, RetentionState state, SequenceOptions options, Activations activations, PassTables tables, int chunks)
    {
        (_model, _config, _state, _activations, _tables, _chunkLength) = (model, model.Config, state, activations, tables, ChunkLength(options));
        _chunkStates = model.Device.Allocate("chunk states", StateBytes(_config, chunks));
        _scores = model.Device.Allocate("scores", ScoreBytes(_config, options));
        _statesKernel = KernelFactory.MatrixStates(model.Device, _config, state.Type);
        _scoresKernel = KernelFactory.MatrixScores(model.Device, _config, _chunkLength);
        _outputsKernel = KernelFactory.MatrixOutputs(model.Device, _config, _chunkLength);
    }

    /// <summary>
    /// Whether a pass takes it: in f16, chunkwise, by a device with matrix units, of heads that are made of whole matrices. Else
    /// retention is f32.
    /// </summary>
    public static bool Suits(DeviceCapabilities capabilities, RetNetConfig config, SequenceOptions options) =>
        options is { Precision: ProductPrecision.F16, ChunkLength: <= LongestChunk } && ShaderLibrary.Has("retention_matrix_outputs")
            && MatMulPlan.Shape(capabilities) is { } shape
            && MatrixTile.States(capabilities).Fits(capabilities, shape) && MatrixTile.Scores(capabilities, ChunkLength(options)).Fits(capabilities, shape)
            && MatrixTile.Outputs(capabilities, ChunkLength(options)).Fits(capabilities, shape)
            && config.KeySize % Math.Max(shape.M, 8) == 0 && config.ValueSize % Math.Max(shape.N, 8) == 0;

    /// <summary>Queries of a tile.</summary>
    public static int QueryTile(DeviceCapabilities capabilities, SequenceOptions options) => (int)MatrixTile.Outputs(capabilities, ChunkLength(options)).M;

    /// <summary>Bytes of the states that chunks begin with, and of the scores.</summary>
    public static ulong BytesOf(RetNetConfig config, SequenceOptions options, int chunks) =>
        options.ChunkLength is <= LongestChunk ? StateBytes(config, chunks) + ScoreBytes(config, options) : 0;

    public void Record(Recorder recorder, int layer, PassShape shape, bool statesOnly)
    {
        var projections = ProjectionAddresses.Of(_config, _activations, layer);
        var capabilities = _model.Device.Capabilities;
        var stride = (uint)_activations.ProjectionStride;
        var scoreStride = (uint)ScoreStride(_chunkLength);
        var states = MatrixTile.States(capabilities);
        var valueTiles = Up(_config.ValueSize, states.N);
        recorder.Dispatch(_statesKernel, new MatrixStatesArguments
        {
            Keys = projections.Keys,
            Values = projections.Values,
            State = _state.LayerAddress(layer),
            ChunkStates = _chunkStates.Address,
            Segments = _tables.Segments,
            Decay = _model.Decay,
            Positions = _tables.Positions,
            Stride = stride,
            SlotVectors = _state.SlotVectors,
            ValueSize = (uint)_config.ValueSize,
            ChunkLength = (uint)_chunkLength,
            ValueTiles = valueTiles,
        }, valueTiles * Up(_config.KeySize, states.M), (uint)(_config.Heads * shape.Segments));
        if (statesOnly)
        {
            recorder.Barrier();
            return;
        }

        recorder.Dispatch(_scoresKernel, new MatrixScoresArguments
        {
            Queries = projections.Queries,
            Keys = projections.Keys,
            Scores = _scores.Address,
            Tiles = _tables.QueryTiles,
            Decay = _model.Decay,
            Stride = stride,
            ScoreStride = scoreStride,
        }, (uint)(shape.QueryTiles * _config.Heads), Up(_chunkLength, MatrixTile.Scores(capabilities, _chunkLength).N));
        recorder.Barrier();

        recorder.Dispatch(_outputsKernel, new MatrixOutputsArguments
        {
            Queries = projections.Queries,
            Scores = _scores.Address,
            Values = projections.Values,
            ChunkStates = _chunkStates.Address,
            Tiles = _tables.QueryTiles,
            Decay = _model.Decay,
            O = _activations.HeadOutputs(layer),
            Stride = stride,
            ScoreStride = scoreStride,
            OutputStride = (uint)_activations.RetainedStride,
            ValueSize = (uint)_config.ValueSize,
        }, (uint)(shape.QueryTiles * _config.Heads), Up(_config.ValueSize, MatrixTile.Outputs(capabilities, _chunkLength).N));
        recorder.Barrier();
    }

    public void Dispose()
    {
        _outputsKernel.Dispose();
        _scoresKernel.Dispose();
        _statesKernel.Dispose();
        _scores.Dispose();
        _chunkStates.Dispose();
    }

    private static int ChunkLength(SequenceOptions options) => options.ChunkLength ?? LongestChunk;

    /// <summary>Scores of a row: whole tiles of any device.</summary>
    private static int ScoreStride(int chunkLength) => (chunkLength + 63) / 64 * 64;

    private static ulong StateBytes(RetNetConfig config, int chunks) => (ulong)chunks * RetentionState.LayerBytes(config, StateType.F16);

    private static ulong ScoreBytes(RetNetConfig config, SequenceOptions options) =>
        (ulong)options.PassLength * (ulong)config.Heads * (ulong)ScoreStride(ChunkLength(options)) * 2;

    private static uint Up(int value, uint divisor) => ((uint)value + divisor - 1) / divisor;
}
