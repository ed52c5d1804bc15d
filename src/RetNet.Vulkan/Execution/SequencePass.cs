using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Many tokens through the network at once: pieces of one or more sequences, one after the other as rows. Retention is
/// rotation, what is between the chunks and within them (<see cref="IChunkRetention"/>), head norm and gate.
/// </summary>
internal sealed class SequencePass : IDisposable
{
    /// <summary>Rows whose logits are computed at once.</summary>
    private const int LogitRows = 64;

    /// <summary>Chunks of a pass that are always allowed, however short; each takes a layer's state of memory.</summary>
    private const int LeastChunks = 16;

    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly SequenceOptions _options;
    private readonly Activations _activations;
    private readonly GpuBuffer? _scoreSums;
    private readonly GpuBuffer _logits;
    private readonly PassTables _tables;
    private readonly Network _network;
    private readonly Kernel<EmbeddingRowsArguments> _embedding;
    private readonly Kernel<RotateArguments> _rotate;
    private readonly IChunkRetention _retention;
    private readonly HeadNorm _headNorm;
    private Recording? _recording;
    private (PassShape Shape, bool StatesOnly) _recorded;
    private KernelTimings? _timings;

    /// <param name="model">The model.</param>
    /// <param name="state">The sequences' states.</param>
    /// <param name="options">How tokens are taken in; validated.</param>
    public SequencePass(RetNetModel model, RetentionState state, SequenceOptions options)
    {
        (_model, _config, _options) = (model, model.Config, options);
        var device = model.Device;
        var tuning = Tuning.For(device.Capabilities).ForValues(_config.ValueSize);
        var onMatrices = MatrixRetention.Suits(device.Capabilities, _config, options);
        _activations = new Activations(device, _config, headTiles: 0, options.PassLength, Math.Min(LogitRows, options.PassLength), options.Precision, halfProjections: onMatrices);
        _scoreSums = options.TorchscaleClamp ? device.Allocate("score sums", (ulong)options.PassLength * (ulong)_config.Heads * sizeof(float)) : null;
        _logits = device.Allocate("logits", (ulong)_activations.LogitRows * (ulong)_config.VocabularySize * sizeof(float), MemoryPlacement.Readback);
        _tables = new PassTables(device, options.PassLength, onMatrices ? MatrixRetention.QueryTile(device.Capabilities, options) : tuning.QueryTile);
        _network = new Network(model, _activations, tuning, new DispatchChain(enabled: false), finishesHeadNorm: false, Tuning.ProductsOfMany(device.Capabilities, options));
        _embedding = KernelFactory.EmbeddingRows(device, tuning, model.Embedding.Type, model.Embedding.Interleave);
        _rotate = KernelFactory.Rotate(device, _config, tuning, onMatrices);
        _retention = onMatrices
            ? new MatrixRetention(model, state, options, _activations, _tables, MostChunks(options))
            : new ChunkRetention(model, state, options, _activations, _tables, MostChunks(options), _scoreSums?.Address ?? 0);
        _headNorm = new(model, _activations, _tables.Positions, _scoreSums?.Address ?? 0);
        device.Run("clear activations", _activations.Clear);
    }

    /// <summary>Called with the logits, [V], after one token.</summary>
    /// <param name="row">The token's row, counted over all segments.</param>
    /// <param name="logits">Valid during the call only.</param>
    public delegate void RowLogits(int row, ReadOnlySpan<float> logits);

    /// <summary>Bytes that a pass takes at most; on matrix units the projections take less.</summary>
    public static ulong BytesOf(RetNetConfig config, SequenceOptions options) =>
        Activations.BytesOf(config, 0, options.PassLength, Math.Min(LogitRows, options.PassLength), options.Precision)
            + MatMulPlan.PartialBytes + (options.Precision == ProductPrecision.F16 ? Network.UnpackedBytes(config, options.PassLength) : 0)
            + Math.Max(ChunkRetention.BytesOf(config, MostChunks(options)), options.Precision == ProductPrecision.F16 ? MatrixRetention.BytesOf(config, options, MostChunks(options)) : 0)
            + (options.TorchscaleClamp ? (ulong)options.PassLength * (ulong)config.Heads * sizeof(float) : 0);

    /// <summary>Bytes that a pass of prompts takes at most, whatever type the weights are.</summary>
    public static ulong PromptBytes(GpuDevice device, RetNetConfig config) => Math.Max(
        BytesOf(config, SequenceOptions.ForPrompts(device.Capabilities, GgmlType.F32)), BytesOf(config, SequenceOptions.ForPrompts(device.Capabilities, GgmlType.F16)));

    /// <summary>
    /// The longest next piece of a sequence that fits a pass beside <paramref name="rows"/> tokens and <paramref name="chunks"/>
    /// chunks: whole chunks, or what is left of the sequence; 0 when nothing fits.
    /// </summary>
    public int Piece(int left, int rows, int chunks)
    {
        var free = _options.PassLength - rows;
        if (_options.ChunkLength is not { } length)
            return left <= free && chunks < MostChunks(_options) ? left : 0;
        var most = (int)Math.Min(free, (long)(MostChunks(_options) - chunks) * length);
        return left <= most ? left : most / length * length;
    }

    /// <summary>Chunks that a piece takes.</summary>
    public int Chunks(int tokens) => _options.ChunkLength is { } length ? (tokens + length - 1) / length : 1;

    /// <summary>Takes the segments in, which must fit (<see cref="Piece"/>), and moves their states on.</summary>
    public void Run(ReadOnlySpan<Segment> segments, RowLogits? logits = null, KernelTimings? timings = null)
    {
        var device = _model.Device;
        var shape = _tables.Write(segments, _options.ChunkLength);
        var wanted = (shape, logits is null);
        if (_recording is null || wanted != _recorded || timings != _timings)
        {
            _recording?.Dispose();
            _recording = device.Record("sequence pass", recorder => Record(recorder, shape, statesOnly: logits is null), timings);
            (_recorded, _timings) = (wanted, timings);
        }

        device.Wait(device.Submit(_recording));
        timings?.Read();
        if (logits is not null)
            ReadLogits(shape.Rows, logits);
    }

    public void Dispose()
    {
        _recording?.Dispose();
        _headNorm.Dispose();
        _retention.Dispose();
        _rotate.Dispose();
        _embedding.Dispose();
        _network.Dispose();
        _tables.Dispose();
        _logits.Dispose();
        _scoreSums?.Dispose();
        _activations.Dispose();
    }

    private static int MostChunks(SequenceOptions options) =>
        Math.Max(options.ChunkLength is { } length ? options.PassLength / length : 1, LeastChunks);

    private void Record(Recorder recorder, PassShape shape, bool statesOnly)
    {
        _tables.RecordUpload(recorder);
        recorder.Barrier();
        recorder.Dispatch(_embedding, new EmbeddingRowsArguments
        {
            Weights = _model.Embedding.Weights,
            Scales = _model.Embedding.Scales,
            Tokens = _tables.Tokens,
            X = _activations.Residual,
            Runs = (uint)_model.Embedding.Runs,
            Vectors = (uint)_activations.WidthStride / 4,
            Scale = _config.EmbeddingScale,
        }, (uint)shape.Rows);
        _network.RecordLayers(recorder, shape.Rows, (into, layer) => RecordRetention(into, layer, shape, statesOnly && layer == _config.Layers - 1), statesOnly);
    }

    private void RecordRetention(Recorder recorder, int layer, PassShape shape, bool statesOnly)
    {
        var projections = ProjectionAddresses.Of(_config, _activations, layer);
        var queryWidth = statesOnly ? 0 : _config.QueryWidth;
        recorder.Barrier();
        recorder.Dispatch(_rotate, new RotateArguments
        {
            X = statesOnly ? projections.Keys : projections.Queries,
            Angles = _model.Angles,
            Positions = _tables.Positions,
            Stride = (uint)_activations.ProjectionStride,
            QueryPairs = (uint)queryWidth / 2,
            Pairs = (uint)(queryWidth + _config.KeyWidth) / 2,
            KeyScale = 1 / MathF.Sqrt(_config.KeySize),
        }, (uint)shape.Rows);
        recorder.Barrier();
        _retention.Record(recorder, layer, shape, statesOnly);
        if (!statesOnly)
            _headNorm.Record(recorder, layer, shape.Rows);
    }

    private void ReadLogits(int rows, RowLogits logits)
    {
        var size = _config.VocabularySize;
        _model.Device.Run("output norm", recorder => _network.RecordOutputNorm(recorder, rows));
        for (var first = 0; first < rows; first += _activations.LogitRows)
        {
            var count = Math.Min(_activations.LogitRows, rows - first);
            _model.Device.Run("logits", recorder =>
            {
                _network.RecordLogits(recorder, first, count);
                _activations.CopyLogits(recorder, _logits, (ulong)count * (ulong)size * sizeof(float));
            });
            var values = _logits.AsSpan<float>();
            for (var row = 0; row < count; row++)
                logits(first + row, values.Slice(row * size, size));
        }
    }
}
