using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>
/// The least that a token needs: every weight read once for all tokens taken together, but of the embedding one row a token;
/// states read and written once; two operations a weight, four a state element (S ← γS + kvᵀ and qS, a multiplication and an addition each).
/// </summary>
internal sealed class TokenWork
{
    private readonly RetNetModel _model;
    private readonly double _embeddingRow;
    private readonly double _stateBytes;
    private readonly double _stateElements;
    private readonly double _layerBytes;
    private readonly double _layerWeights;
    private readonly double _prefillBytes;
    private readonly double _prefillWeights;

    public TokenWork(RetNetModel model, StateType stateType)
    {
        _model = model;
        var config = model.Config;
        var matrices = model.Layers.SelectMany(layer => new[] { layer.QueryKeyValueGate, layer.RetentionOutput, layer.FeedForwardIn, layer.FeedForwardDown }).ToArray();
        _layerBytes = matrices.Sum(matrix => (double)matrix.Bytes);
        _layerWeights = matrices.Sum(Weights);
        var last = model.Layers[^1];
        var projections = config.QueryWidth + config.KeyWidth + config.ValueWidth + (config.OutputGate ? config.OutputWidth : 0);
        var keysAndValues = (double)(config.KeyWidth + config.ValueWidth) / projections;
        var unused = new[] { last.RetentionOutput, last.FeedForwardIn, last.FeedForwardDown };
        _prefillBytes = _layerBytes - unused.Sum(matrix => (double)matrix.Bytes) - ((1 - keysAndValues) * last.QueryKeyValueGate.Bytes);
        _prefillWeights = _layerWeights - unused.Sum(Weights) - ((1 - keysAndValues) * Weights(last.QueryKeyValueGate));
        _embeddingRow = (double)model.Embedding.Bytes / model.Embedding.Rows;
        _stateBytes = RetentionState.BytesOf(config, stateType);
        _stateElements = (double)config.Layers * config.Heads * config.KeySize * config.ValueSize;
    }

    /// <summary>Bytes a token of decoding.</summary>
    public double DecodeBytes(int batch) => WeightBytes(batch) + 2 * _stateBytes;

    /// <summary>Operations a token of decoding.</summary>
    public double DecodeFlops => WeightFlops + 4 * _stateElements;

    /// <summary>Bytes of weights a token of decoding.</summary>
    public double WeightBytes(int batch) => (_layerBytes + _model.Output.Bytes) / batch + _embeddingRow;

    /// <summary>Operations on weights a token of decoding.</summary>
    public double WeightFlops => 2 * (_layerWeights + Weights(_model.Output));

    /// <summary>Operations a token of prefill, whose logits nobody asks for: of the last layer only its state.</summary>
    public double PrefillFlops => 2 * _prefillWeights + (4 - (2.0 / _model.Config.Layers)) * _stateElements;

    /// <summary>Bytes a token of prefill: weights once a pass, states once a pass and sequence.</summary>
    public double PrefillBytes(int batch, int prompt, int passLength)
    {
        var tokens = (double)batch * prompt;
        var passes = Math.Ceiling(tokens / passLength);
        return passes * _prefillBytes / tokens + _embeddingRow + 2 * _stateBytes * Math.Max(passes, batch) / tokens;
    }

    private static double Weights(DeviceMatrix matrix) => (double)matrix.Rows * matrix.Columns;
}
