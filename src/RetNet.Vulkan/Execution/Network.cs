using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What the modes share: everything of a forward pass but the embedding and retention, for one token or many. A layer is
/// <code>
/// [norm → q, k, v, g]  retention  [output, + residual]  [norm → act(gate) · up]  [down, + residual]
/// </code>
/// with a dispatch for each bracket. One token's RMSNorm is part of the product that follows; a pass of many tokens
/// and LayerNorm normalise in a dispatch of their own.
/// </summary>
internal sealed class Network : IDisposable
{
    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly Activations _activations;
    private readonly Tuning _tuning;
    private readonly ProductInput _retained;
    private readonly Dictionary<(GgmlType, ProductInput, ProductOutput, bool Biased), Kernel<MatVecArguments>> _products = [];
    private readonly Dictionary<bool, Kernel<NormArguments>> _norms = [];

    /// <param name="model">The model.</param>
    /// <param name="activations">The arena; its rows decide how products are tiled.</param>
    /// <param name="tuning">Sizes.</param>
    /// <param name="finishesHeadNorm">Whether retention leaves the scale of its head norm to the product behind it; for one token a pass.</param>
    public Network(RetNetModel model, Activations activations, Tuning tuning, bool finishesHeadNorm)
    {
        (_model, _config, _activations, _tuning) = (model, model.Config, activations, tuning);
        _retained = finishesHeadNorm ? ProductInput.HeadNorm : ProductInput.Plain;
    }

    /// <summary>Records retention of a layer: reads <see cref="Activations.Projections"/>, writes <see cref="Activations.Retained"/>.</summary>
    public delegate void Retention(Recorder recorder, int layer);

    /// <summary>One token a pass: the norms of pre-norm models are left to the products.</summary>
    private bool OneToken => _activations.Rows == 1;

    /// <summary>All layers, from the embedded tokens in the residual stream to the residual stream.</summary>
    public void RecordLayers(Recorder recorder, int rows, Retention retention)
    {
        if (_model.EmbeddingNorm is { } norm)
            Normalise(recorder, norm, rows);
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            var weights = _model.Layers[layer];
            recorder.Use = _config.OutputGate ? "q, k, v, g" : "q, k, v";
            FromResidual(recorder, weights.RetentionNorm, weights.QueryKeyValueGate, _activations.Projections, _activations.ProjectionStride, ProductOutput.Store, rows);
            recorder.Use = null;
            retention(recorder, layer);
            recorder.Use = "output";
            ToResidual(recorder, weights.RetentionOutput, _activations.Retained, _activations.RetainedStride, _retained, weights.RetentionNorm, rows);

            recorder.Use = "feed-forward in";
            FromResidual(recorder, weights.FeedForwardNorm, weights.FeedForwardIn, _activations.Hidden, _activations.HiddenStride, _config.GatedFeedForward ? ProductOutput.GatedUnit : ProductOutput.Activate, rows);
            if (weights.FeedForwardSubNorm is { } subNorm)
                RecordNorm(recorder, subNorm, _activations.Hidden, _activations.Hidden, _config.FeedForwardSize, _activations.HiddenStride, rows);
            recorder.Use = "feed-forward down";
            ToResidual(recorder, weights.FeedForwardDown, _activations.Hidden, _activations.HiddenStride, ProductInput.Plain, weights.FeedForwardNorm, rows);
            recorder.Use = null;
        }
    }

    /// <summary>The last norm, where it is not part of <see cref="RecordLogits"/>; before it, for all rows of a pass.</summary>
    public void RecordOutputNorm(Recorder recorder, int rows)
    {
        if (_model.OutputNorm is { } norm && !Fused(norm))
            RecordNorm(recorder, norm, _activations.Residual, _activations.Normed, _config.Width, _activations.WidthStride, rows);
    }

    /// <summary>Logits of some rows of the pass into <see cref="Activations.Logits"/>.</summary>
    public void RecordLogits(Recorder recorder, int firstRow, int rows)
    {
        var norm = _model.OutputNorm;
        var fused = norm is { } outputNorm && Fused(outputNorm);
        var x = norm is null || fused ? _activations.Residual : _activations.Normed;
        x += (ulong)firstRow * (ulong)_activations.WidthStride * sizeof(float);
        recorder.Use = "logits";
        Multiply(recorder, _model.Output, x, _activations.WidthStride, _activations.Logits, _config.VocabularySize, fused ? ProductInput.RmsNorm : ProductInput.Plain, ProductOutput.Store, rows, norm?.Weight ?? 0);
        recorder.Use = null;
        recorder.Barrier();
    }

    public void Dispose()
    {
        foreach (var kernel in _products.Values)
            kernel.Dispose();
        foreach (var kernel in _norms.Values)
            kernel.Dispose();
    }

    private bool Fused(DeviceNorm norm) => OneToken && !norm.SubtractMean;

    /// <summary>A product of the residual stream: normalised in a pre-norm model, as it is in a post-norm one.</summary>
    private void FromResidual(Recorder recorder, DeviceNorm norm, DeviceMatrix matrix, ulong y, int yStride, ProductOutput output, int rows)
    {
        var (x, input) = (_activations.Residual, ProductInput.Plain);
        if (!_config.PostNorm && Fused(norm))
            input = ProductInput.RmsNorm;
        else if (!_config.PostNorm)
            RecordNorm(recorder, norm, x, x = _activations.Normed, _config.Width, _activations.WidthStride, rows);
        Multiply(recorder, matrix, x, _activations.WidthStride, y, yStride, input, output, rows, norm.Weight);
        recorder.Barrier();
    }

    /// <summary>A product that is added to the residual stream, which a post-norm model then normalises.</summary>
    private void ToResidual(Recorder recorder, DeviceMatrix matrix, ulong x, int xStride, ProductInput input, DeviceNorm norm, int rows)
    {
        Multiply(recorder, matrix, x, xStride, _activations.Residual, _activations.WidthStride, input, ProductOutput.AddResidual, rows);
        recorder.Barrier();
        if (_config.PostNorm)
            Normalise(recorder, norm, rows);
    }

    private void Normalise(Recorder recorder, DeviceNorm norm, int rows) =>
        RecordNorm(recorder, norm, _activations.Residual, _activations.Residual, _config.Width, _activations.WidthStride, rows);

    private void RecordNorm(Recorder recorder, DeviceNorm norm, ulong x, ulong y, int columns, int stride, int rows)
    {
        recorder.Dispatch(NormKernel(norm.SubtractMean), new NormArguments
        {
            X = x,
            Y = y,
            Weight = norm.Weight,
            Bias = norm.Bias,
            Columns = (uint)columns,
            Stride = (uint)stride,
            Eps = _config.NormEps,
        }, (uint)rows);
        recorder.Barrier();
    }

    private void Multiply(Recorder recorder, DeviceMatrix matrix, ulong x, int xStride, ulong y, int yStride, ProductInput input, ProductOutput output, int tokens, ulong normWeight = 0)
    {
        var (atOnce, tokensAtOnce) = _tuning.Tile(output, _activations.Rows);
        var rows = (uint)(output == ProductOutput.GatedUnit ? matrix.Rows / 2 : matrix.Rows);
        var tile = _tuning.MatVecTile(_model.Device.Capabilities.SubgroupSize, atOnce);
        var groups = Math.Min((rows + tile - 1) / tile, _model.Device.Capabilities.WorkgroupCount);
        recorder.Dispatch(Product(matrix, input, output), new MatVecArguments
        {
            Weights = matrix.Weights,
            Scales = matrix.Scales,
            X = x,
            NormWeight = normWeight,
            HeadSquares = _activations.HeadSquares,
            Y = y,
            Bias = matrix.Bias,
            Rows = rows,
            Runs = (uint)matrix.Runs,
            Columns = (uint)matrix.Columns,
            Tokens = (uint)tokens,
            XVectors = (uint)xStride / 4,
            YStride = (uint)yStride,
            HeadTiles = (uint)_activations.HeadTiles,
            Eps = _config.NormEps,
            ResidualScale = _config.ResidualScale,
        }, groups, ((uint)tokens + tokensAtOnce - 1) / tokensAtOnce);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<MatVecArguments> Product(DeviceMatrix matrix, ProductInput input, ProductOutput output)
    {
        var biased = matrix.Bias != 0;
        if (!_products.TryGetValue((matrix.Type, input, output, biased), out var kernel))
        {
            kernel = KernelFactory.Product(_model.Device, _config, _tuning, matrix.Type, matrix.Interleave, input, output, _tuning.Tile(output, _activations.Rows), biased);
            _products.Add((matrix.Type, input, output, biased), kernel);
        }

        return kernel;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<NormArguments> NormKernel(bool subtractMean)
    {
        if (!_norms.TryGetValue(subtractMean, out var kernel))
            _norms.Add(subtractMean, kernel = KernelFactory.Norm(_model.Device, _tuning, subtractMean));
        return kernel;
    }
}
