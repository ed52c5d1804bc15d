using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// One token through the network in the recurrent form, as commands: token → embedding → layers → logits → next token.
/// A layer is five dispatches, each as wide as its matrix allows:
/// <code>
/// [norm → q, k, v, g]  [rotate, update and read the state, gate]  [head norm → output, + residual]
/// [norm → act(gate) · up]  [down, + residual]
/// </code>
/// </summary>
internal sealed class RecurrentStep : IDisposable
{
    private enum Input : uint
    {
        Plain,
        RmsNorm,
        HeadNorm,
    }

    private enum Output : uint
    {
        Store,
        AddResidual,
        GatedUnit,
    }

    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly RetentionState _state;
    private readonly TokenLog _log;
    private readonly Activations _activations;
    private readonly Tuning _tuning;
    private readonly Dictionary<(GgmlType, Input, Output), Kernel<MatVecArguments>> _matVecs = [];
    private readonly Kernel<EmbeddingArguments> _embedding;
    private readonly Kernel<RetentionArguments> _retention;
    private readonly Kernel<RmsNormArguments> _norm;
    private readonly Kernel<SampleArguments> _sample;

    public RecurrentStep(RetNetModel model, RetentionState state, TokenLog log, Activations activations, Tuning tuning)
    {
        (_model, _config, _state, _log, _activations, _tuning) = (model, model.Config, state, log, activations, tuning);
        var device = model.Device;
        _embedding = new(device, $"embedding_{Name(model.Embedding.Type)}", 256, (uint)model.Embedding.Interleave);
        _retention = new(device, tuning.Retention, tuning.RetentionThreads, tuning.RetentionTileLanes, (uint)_config.KeySize, Flag(_config.OutputGate), Flag(_config.RetentionEpsScaled));
        _norm = new(device, "rms_norm", 256);
        _sample = new(device, "sample");
    }

    /// <summary>Takes the token at the log's position and advances the state; leaves x in the residual stream.</summary>
    public void RecordLayers(Recorder recorder)
    {
        RecordEmbedding(recorder);
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            RecordRetention(recorder, layer);
            RecordFeedForward(recorder, _model.Layers[layer]);
        }
    }

    /// <summary>Logits from the residual stream.</summary>
    public void RecordLogits(Recorder recorder)
    {
        var normWeight = _model.OutputNorm;
        Multiply(recorder, _model.Output, _activations.Residual, _activations.Logits, normWeight is null ? Input.Plain : Input.RmsNorm, Output.Store, normWeight ?? 0);
        recorder.Barrier();
    }

    /// <summary>The next token from the logits into the log.</summary>
    public void RecordSample(Recorder recorder, SamplerOptions options)
    {
        recorder.Dispatch(_sample, SampleArguments.Of(options) with
        {
            Logits = _activations.Logits,
            Tokens = _log.Address,
            Position = _activations.Position,
            Vocabulary = (uint)_config.VocabularySize,
            LogMask = TokenLog.Mask,
        }, 1);
        recorder.Barrier();
    }

    public void Dispose()
    {
        foreach (var kernel in _matVecs.Values)
            kernel.Dispose();
        _embedding.Dispose();
        _retention.Dispose();
        _norm.Dispose();
        _sample.Dispose();
    }

    private static uint Flag(bool value) => value ? 1u : 0u;

    private static string Name(GgmlType type) => BlockType.Of(type).Name;

    private void RecordEmbedding(Recorder recorder)
    {
        recorder.Dispatch(_embedding, new EmbeddingArguments
        {
            Weights = _model.Embedding.Weights,
            Scales = _model.Embedding.Scales,
            Tokens = _log.Address,
            Position = _activations.Position,
            X = _activations.Residual,
            Runs = (uint)_model.Embedding.Runs,
            LogMask = TokenLog.Mask,
            Scale = _config.EmbeddingScale,
        }, 1);
        recorder.Barrier();
        if (_model.EmbeddingNorm is { } weight)
            RecordNorm(recorder, weight);
    }

    private void RecordRetention(Recorder recorder, int layer)
    {
        var weights = _model.Layers[layer];
        MultiplyResidual(recorder, weights.QueryKeyValueGate, _activations.Projections, Output.Store, weights.RetentionNorm);
        recorder.Barrier();

        var vectors = RetentionState.VectorsOf(_config);
        var tiles = _tuning.RetentionTiles(vectors);
        var keys = _activations.Projections + (ulong)_config.QueryWidth * sizeof(float);
        var values = keys + (ulong)_config.KeyWidth * sizeof(float);
        recorder.Dispatch(_retention, new RetentionArguments
        {
            Q = _activations.Projections,
            K = keys,
            V = values,
            G = values + (ulong)_config.ValueWidth * sizeof(float),
            HeadWeight = weights.HeadNorm,
            State = _state.LayerAddress(layer),
            Decay = _model.Decay,
            Angles = _model.Angles,
            Position = _activations.Position,
            Y = _activations.Retained,
            Squares = _activations.HeadSquares,
            ValueSize = (uint)_config.ValueSize,
            ValueVectors = (uint)vectors,
            Group = (uint)(_config.Heads / _config.KeyValueHeads),
            KeyScale = 1 / MathF.Sqrt(_config.KeySize),
            Eps = _config.RetentionEps,
        }, (uint)tiles, (uint)_config.Heads);
        recorder.Barrier();

        Multiply(recorder, weights.RetentionOutput, _activations.Retained, _activations.Residual, Input.HeadNorm, Output.AddResidual);
        recorder.Barrier();
        if (_config.PostNorm)
            RecordNorm(recorder, weights.RetentionNorm);
    }

    private void RecordFeedForward(Recorder recorder, LayerWeights weights)
    {
        MultiplyResidual(recorder, weights.FeedForwardGateUp, _activations.Hidden, Output.GatedUnit, weights.FeedForwardNorm);
        recorder.Barrier();
        Multiply(recorder, weights.FeedForwardDown, _activations.Hidden, _activations.Residual, Input.Plain, Output.AddResidual);
        recorder.Barrier();
        if (_config.PostNorm)
            RecordNorm(recorder, weights.FeedForwardNorm);
    }

    /// <summary>x ← norm(x), for what no product can normalise as it reads.</summary>
    private void RecordNorm(Recorder recorder, ulong weight)
    {
        recorder.Dispatch(_norm, new RmsNormArguments { X = _activations.Residual, Weight = weight, Columns = (uint)_config.Width, Eps = _config.NormEps }, 1);
        recorder.Barrier();
    }

    /// <summary>A product of the residual stream: normalised as it is read in a pre-norm model, as it is in a post-norm one.</summary>
    private void MultiplyResidual(Recorder recorder, DeviceMatrix matrix, ulong y, Output output, ulong normWeight) =>
        Multiply(recorder, matrix, _activations.Residual, y, _config.PostNorm ? Input.Plain : Input.RmsNorm, output, normWeight);

    private void Multiply(Recorder recorder, DeviceMatrix matrix, ulong x, ulong y, Input input, Output output, ulong normWeight = 0)
    {
        var kernel = MatVec(matrix.Type, input, output);
        var rows = (uint)(output == Output.GatedUnit ? matrix.Rows / 2 : matrix.Rows);
        var tile = _tuning.MatVecTile(_model.Device.Capabilities.SubgroupSize, RowsAtOnce(output));
        var groups = Math.Min((rows + tile - 1) / tile, _model.Device.Capabilities.WorkgroupCount);
        recorder.Dispatch(kernel, new MatVecArguments
        {
            Weights = matrix.Weights,
            Scales = matrix.Scales,
            X = x,
            NormWeight = normWeight,
            HeadSquares = _activations.HeadSquares,
            Y = y,
            Rows = rows,
            Runs = (uint)matrix.Runs,
            Columns = (uint)matrix.Columns,
            HeadTiles = (uint)_tuning.RetentionTiles(RetentionState.VectorsOf(_config)),
            Eps = _config.NormEps,
            ResidualScale = _config.ResidualScale,
        }, groups);
    }

    /// <summary>A gated unit holds rows of both halves.</summary>
    private uint RowsAtOnce(Output output) => output == Output.GatedUnit ? Math.Max(_tuning.MatVecRows / 2, 1) : _tuning.MatVecRows;

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<MatVecArguments> MatVec(GgmlType type, Input input, Output output)
    {
        if (!_matVecs.TryGetValue((type, input, output), out var kernel))
        {
            kernel = new(_model.Device, $"{_tuning.MatVec}_{Name(type)}", _tuning.MatVecThreads, _model.Device.Capabilities.SubgroupSize, (uint)_model.Embedding.Interleave, RowsAtOnce(output), (uint)input, (uint)output, (uint)_config.Activation, (uint)_config.Heads, (uint)_config.ValueSize);
            _matVecs.Add((type, input, output), kernel);
        }

        return kernel;
    }
}
