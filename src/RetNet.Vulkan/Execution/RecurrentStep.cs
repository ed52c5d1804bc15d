using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// One token through the network in the recurrent form, as commands: token → embedding → layers → logits → next token.
/// Retention is one dispatch, [rotate, update and read the state, gate]; the product behind it finishes the head norm, but
/// for a LayerNorm of the heads, which is a dispatch of its own with the gate.
/// </summary>
internal sealed class RecurrentStep : IDisposable
{
    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly RetentionState _state;
    private readonly TokenLog _log;
    private readonly Activations _activations;
    private readonly Network _network;
    private readonly Kernel<EmbeddingArguments> _embedding;
    private readonly Kernel<RetentionArguments> _retention;
    private readonly HeadNorm? _headNorm;
    private readonly Kernel<SampleArguments> _sample;

    public RecurrentStep(RetNetModel model, RetentionState state, TokenLog log, Activations activations, Tuning tuning)
    {
        (_model, _config, _state, _log, _activations) = (model, model.Config, state, log, activations);
        var device = model.Device;
        _headNorm = model.Config.RetentionNormType == NormType.Layer ? new(model, activations, activations.Position, scoreSums: 0) : null;
        _network = new(model, activations, tuning, finishesHeadNorm: _headNorm is null);
        _embedding = KernelFactory.Embedding(device, model.Embedding.Type, model.Embedding.Interleave);
        _retention = KernelFactory.RecurrentRetention(device, _config, tuning, state.Type);
        _sample = KernelFactory.Sample(device);
    }

    /// <summary>Takes the token at the log's position and advances the state; leaves x in the residual stream.</summary>
    public void RecordLayers(Recorder recorder)
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
        _network.RecordLayers(recorder, 1, RecordRetention);
    }

    /// <summary>Logits from the residual stream.</summary>
    public void RecordLogits(Recorder recorder)
    {
        _network.RecordOutputNorm(recorder, 1);
        _network.RecordLogits(recorder, 0, 1);
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
        _network.Dispose();
        _headNorm?.Dispose();
        _embedding.Dispose();
        _retention.Dispose();
        _sample.Dispose();
    }

    private void RecordRetention(Recorder recorder, int layer)
    {
        var projections = ProjectionAddresses.Of(_config, _activations.Projections);
        recorder.Dispatch(_retention, new RetentionArguments
        {
            Q = projections.Queries,
            K = projections.Keys,
            V = projections.Values,
            G = projections.Gates,
            HeadWeight = _model.Layers[layer].HeadNorm,
            State = _state.LayerAddress(layer),
            Decay = _model.Decay,
            Angles = _model.Angles,
            Position = _activations.Position,
            Y = _activations.Retained,
            Squares = _activations.HeadSquares,
            ValueSize = (uint)_config.ValueSize,
            ValueVectors = (uint)RetentionState.VectorsOf(_config),
            Group = (uint)(_config.Heads / _config.KeyValueHeads),
            KeyScale = 1 / MathF.Sqrt(_config.KeySize),
            Eps = _config.RetentionEps,
        }, (uint)_activations.HeadTiles, (uint)_config.Heads);
        recorder.Barrier();
        _headNorm?.Record(recorder, layer, 1);
    }
}
