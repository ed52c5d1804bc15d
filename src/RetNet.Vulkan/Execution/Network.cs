using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What the modes share: everything of a forward pass but the embedding and retention, for one token or many. A layer is
/// <code>
/// [norm → q, k, v, g]  retention  [output, + residual]  [norm → act(gate) · up]  [down, + residual]
/// </code>
/// with a dispatch for each bracket. The RMSNorm of one token, or on a GPU of a few, is part of the product that follows; a pass of many tokens
/// and LayerNorm normalise in a dispatch of their own. Several tokens on matrix units share an RMSNorm between the products before and behind it.
/// </summary>
internal sealed class Network : IDisposable
{
    /// <summary>Rows at whose multiples a matrix may be sliced: whole groups of any interleaving, and outputs that begin as aligned as any.</summary>
    private const int SliceRows = 64;

    private readonly RetNetModel _model;
    private readonly RetNetConfig _config;
    private readonly Activations _activations;
    private readonly Tuning _tuning;
    private readonly DispatchChain _chain;
    private readonly ProductInput _retained;
    private readonly Dictionary<ProductKey, Kernel<MatVecArguments>> _products = [];
    private readonly Dictionary<(bool SubtractMean, bool HalfOutput), Kernel<NormArguments>> _norms = [];
    private readonly MatMul? _matMul;
    private Kernel<RoundArguments>? _round;
    private int _additions;

    /// <param name="model">The model.</param>
    /// <param name="activations">The arena; its rows decide how products are tiled.</param>
    /// <param name="tuning">Sizes.</param>
    /// <param name="chain">Orders the dispatches.</param>
    /// <param name="finishesHeadNorm">Whether retention leaves the scale of its head norm to the product behind it; where that can (<see cref="Tuning.FusesNorms"/>).</param>
    /// <param name="products">The kernel for the products of many tokens; null takes the matrix-vector kernel.</param>
    public Network(RetNetModel model, Activations activations, Tuning tuning, DispatchChain chain, bool finishesHeadNorm, MatMulKind? products = null)
    {
        (_model, _config, _activations, _tuning, _chain) = (model, model.Config, activations, tuning, chain);
        _matMul = products is { } kind ? new MatMul(model.Device, kind, kind == MatMulKind.Tile ? 0 : UnpackedBytes(model.Config, activations.Rows)) : null;
        _retained = finishesHeadNorm ? ProductInput.HeadNorm : ProductInput.Plain;
    }

    /// <summary>Bytes of a layer's largest matrix as f16, where so many tokens make it worth to unpack it; else 0.</summary>
    public static ulong UnpackedBytes(RetNetConfig config, int rows)
    {
        if (!MatMul.Unpacks(rows))
            return 0;
        var width = (long)WeightStore.PaddedLength(config.Width);
        var projections = config.QueryWidth + config.KeyWidth + config.ValueWidth + (config.OutputGate ? config.OutputWidth : 0);
        long[] elements =
        [
            projections * width, (config.GatedFeedForward ? 2 : 1) * config.FeedForwardSize * width,
            (long)config.Width * WeightStore.PaddedLength(config.OutputWidth), (long)config.Width * WeightStore.PaddedLength(config.FeedForwardSize),
        ];
        return (ulong)elements.Max() * 2;
    }

    /// <summary>
    /// Records retention of a layer: reads <see cref="Activations.Projections"/>, writes <see cref="Activations.Retained"/>. It puts
    /// itself behind what was recorded before.
    /// </summary>
    public delegate void Retention(Recorder recorder, int layer);

    /// <summary>One token a pass, or on a GPU a few: the norms of pre-norm models are left to the products.</summary>
    private bool FusesNorms => _matMul is null && _tuning.FusesNorms(_activations.Rows);

    private bool Half => _activations.Precision == ProductPrecision.F16;

    /// <summary>Whether the products on both sides of a norm normalise, instead of a dispatch: a pre-norm model's RMSNorms, of few tokens.</summary>
    private bool SharesNorms => Half && !_config.PostNorm && _config.NormType == NormType.Rms && _matMul is not null && _matMul.Normalises(_activations.Rows, _config.Width);

    /// <summary>
    /// What of a step of a model that takes a token of each of some sequences can be a chain on a device. All of it where all norms are part of the
    /// products, and the kernels of these know chains.
    /// </summary>
    public static ChainScope Chain(RetNetModel model, Tuning tuning, int sequences, MatMulKind? products)
    {
        var config = model.Config;
        var scope = tuning.Chain(sequences);
        var can = scope switch
        {
            ChainScope.Retention => products == MatMulKind.SubgroupMatrix,
            ChainScope.Step => WholeStepChains(),
            _ => false,
        };
        return can && ChainProbe.Passes(model.Device) ? scope : ChainScope.None;

        bool WholeStepChains() => !config.PostNorm && config.NormType == NormType.Rms && config.RetentionNormType == NormType.Rms
            && model.OutputNorm is { SubtractMean: false } && model.Layers.All(layer => layer.FeedForwardSubNorm is null && !layer.RetentionNorm.SubtractMean && !layer.FeedForwardNorm.SubtractMean)
            && Chains(model.Output, ProductOutput.Store)
            && model.Layers.All(layer => Chains(layer.QueryKeyValueGate, ProductOutput.Store) && Chains(layer.RetentionOutput, ProductOutput.AddResidual)
                && Chains(layer.FeedForwardIn, config.GatedFeedForward ? ProductOutput.GatedUnit : ProductOutput.Activate) && Chains(layer.FeedForwardDown, ProductOutput.AddResidual));

        // The kernels of several tokens read the padding of their inputs, which nothing writes in a chain.
        bool Chains(DeviceMatrix matrix, ProductOutput output) => tuning.ProductTile(model.Device.Capabilities, matrix, output, sequences).Chains
            && (sequences == 1 || matrix.Columns == WeightStore.PaddedLength(matrix.Columns));
    }

    /// <summary>The residual stream as it is now.</summary>
    private ulong Residual => _activations.ResidualAfter(_additions);

    /// <summary>All layers, from the embedded tokens in the residual stream to the residual stream.</summary>
    /// <param name="recorder">Where to.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="retention">Retention of a layer.</param>
    /// <param name="statesOnly">Whether states are all that is asked for: the last layer then needs its keys and values, ends with retention, and leaves the residual stream behind.</param>
    public void RecordLayers(Recorder recorder, int rows, Retention retention, bool statesOnly = false)
    {
        _additions = 0;
        if (_model.EmbeddingNorm is { } norm)
            Normalise(recorder, norm, rows);
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            var weights = _model.Layers[layer];
            var last = statesOnly && layer == _config.Layers - 1;
            var (projections, to) = last ? KeysAndValues(layer) : (weights.QueryKeyValueGate, _activations.Projections(layer));
            recorder.Use = _config.OutputGate ? "q, k, v, g" : "q, k, v";
            FromResidual(recorder, weights.RetentionNorm, projections, to, _activations.ProjectionStride, ProductOutput.Store, rows, _activations.HalfProjections, beginsChain: true);
            recorder.Use = null;
            retention(recorder, layer);
            if (last)
                break;
            recorder.Use = "output";
            ToResidual(recorder, weights.RetentionOutput, _activations.Retained(layer), _activations.RetainedStride, _retained, weights.RetentionNorm, weights.FeedForwardNorm, rows, _activations.HeadSquares(layer));

            var hidden = weights.FeedForwardSubNorm is null ? _activations.Hidden(layer) : _activations.HiddenSums(layer);
            recorder.Use = "feed-forward in";
            FromResidual(recorder, weights.FeedForwardNorm, weights.FeedForwardIn, hidden, _activations.HiddenStride, _config.GatedFeedForward ? ProductOutput.GatedUnit : ProductOutput.Activate, rows, halfOutput: Half && weights.FeedForwardSubNorm is null);
            if (weights.FeedForwardSubNorm is { } subNorm)
                RecordNorm(recorder, subNorm, hidden, _activations.Hidden(layer), _config.FeedForwardSize, _activations.HiddenStride, rows, Half);
            recorder.Use = "feed-forward down";
            var next = layer + 1 < _config.Layers ? _model.Layers[layer + 1].RetentionNorm : _model.OutputNorm;
            ToResidual(recorder, weights.FeedForwardDown, _activations.Hidden(layer), _activations.HiddenStride, ProductInput.Plain, weights.FeedForwardNorm, next, rows);
            recorder.Use = null;
        }
    }

    /// <summary>The last norm, where it is not part of <see cref="RecordLogits"/>; before it, for all rows of a pass.</summary>
    public void RecordOutputNorm(Recorder recorder, int rows)
    {
        if (_model.OutputNorm is not null && SharesNorms)
            return;
        if (_model.OutputNorm is { } norm && !Fused(norm))
            RecordNorm(recorder, norm, Residual, _activations.Normed, _config.Width, _activations.WidthStride, rows, Half);
        else if (Half)
            Round(recorder, rows);
    }

    /// <summary>Logits of some rows of the pass into <see cref="Activations.Logits"/>.</summary>
    public void RecordLogits(Recorder recorder, int firstRow, int rows)
    {
        var norm = _model.OutputNorm;
        var fused = norm is { } outputNorm && Fused(outputNorm);
        var x = Half || (norm is not null && !fused) ? _activations.Normed : Residual;
        x += (ulong)firstRow * (ulong)_activations.WidthStride * (Half ? 2u : sizeof(float));
        recorder.Use = "logits";
        Multiply(recorder, _model.Output, x, _activations.WidthStride, _activations.Logits, _config.VocabularySize, fused ? ProductInput.RmsNorm : ProductInput.Plain, ProductOutput.Store, rows, norm?.Weight ?? 0, normedInput: norm is not null && SharesNorms);
        recorder.Use = null;
        _chain.Leave(recorder);
    }

    public void Dispose()
    {
        foreach (var kernel in _products.Values)
            kernel.Dispose();
        foreach (var kernel in _norms.Values)
            kernel.Dispose();
        _round?.Dispose();
        _matMul?.Dispose();
    }

    /// <summary>What makes a layer's keys and values, and where they go; all projections where their rows cannot be taken alone.</summary>
    private (DeviceMatrix Matrix, ulong Y) KeysAndValues(int layer)
    {
        var all = _model.Layers[layer].QueryKeyValueGate;
        return _config.QueryWidth % SliceRows == 0
            ? (all.Slice(_config.QueryWidth, _config.KeyWidth + _config.ValueWidth), ProjectionAddresses.Of(_config, _activations, layer).Keys)
            : (all, _activations.Projections(layer));
    }

    private bool Fused(DeviceNorm norm) => FusesNorms && !norm.SubtractMean;

    /// <summary>A product of the residual stream: normalised in a pre-norm model, as it is in a post-norm one.</summary>
    private void FromResidual(Recorder recorder, DeviceNorm norm, DeviceMatrix matrix, ulong y, int yStride, ProductOutput output, int rows, bool halfOutput = false, bool beginsChain = false)
    {
        var (x, input) = (Residual, ProductInput.Plain);
        // What the product before left; before the first there is none.
        var normedInput = SharesNorms && _additions > 0;
        if (normedInput)
            x = _activations.Normed;
        else if (!_config.PostNorm && Fused(norm))
            input = ProductInput.RmsNorm;
        else if (!_config.PostNorm)
            RecordNorm(recorder, norm, x, x = _activations.Normed, _config.Width, _activations.WidthStride, rows, Half);
        else if (Half)
        {
            Round(recorder, rows);
            x = _activations.Normed;
        }

        Multiply(recorder, matrix, x, _activations.WidthStride, y, yStride, input, output, rows, norm.Weight, halfOutput: halfOutput, normedInput: normedInput, beginsChain: beginsChain);
    }

    /// <summary>A product that is added to the residual stream, which a post-norm model then normalises, and <paramref name="next"/> of a pre-norm one.</summary>
    private void ToResidual(Recorder recorder, DeviceMatrix matrix, ulong x, int xStride, ProductInput input, DeviceNorm norm, DeviceNorm? next, int rows, ulong headSquares = 0)
    {
        Multiply(
            recorder, matrix, x, xStride, _activations.ResidualAfter(_additions + 1), _activations.WidthStride, input, ProductOutput.AddResidual, rows, 0, headSquares,
            nextNorm: SharesNorms ? next : null);
        _additions++;
        if (_config.PostNorm)
            Normalise(recorder, norm, rows);
    }

    private void Normalise(Recorder recorder, DeviceNorm norm, int rows) =>
        RecordNorm(recorder, norm, Residual, Residual, _config.Width, _activations.WidthStride, rows);

    /// <summary>The residual stream into <see cref="Activations.Normed"/> as it is, but in f16.</summary>
    private void Round(Recorder recorder, int rows)
    {
        _round ??= KernelFactory.Round(_model.Device, _tuning);
        _chain.Leave(recorder);
        recorder.Dispatch(_round, new RoundArguments
        {
            X = Residual,
            Y = _activations.Normed,
            Quads = (uint)_activations.WidthStride / 4,
        }, (uint)rows);
    }

    private void RecordNorm(Recorder recorder, DeviceNorm norm, ulong x, ulong y, int columns, int stride, int rows, bool halfOutput = false)
    {
        _chain.Leave(recorder);
        recorder.Dispatch(NormKernel(norm.SubtractMean, halfOutput), new NormArguments
        {
            X = x,
            Y = y,
            Weight = norm.Weight,
            Bias = norm.Bias,
            Columns = (uint)columns,
            Stride = (uint)stride,
            Eps = _config.NormEps,
        }, (uint)rows);
    }

    private void Multiply(
        Recorder recorder, DeviceMatrix matrix, ulong x, int xStride, ulong y, int yStride, ProductInput input, ProductOutput output, int tokens,
        ulong normWeight = 0, ulong headSquares = 0, bool halfOutput = false, bool normedInput = false, DeviceNorm? nextNorm = null, bool beginsChain = false)
    {
        if (_matMul is not null)
        {
            if (beginsChain)
                _chain.Begin(recorder);
            else
                _chain.Leave(recorder);
            _matMul.Record(recorder, new MatMulTask
            {
                Matrix = matrix,
                X = x,
                XStride = xStride,
                Y = y,
                YStride = yStride,
                Tokens = tokens,
                Output = output,
                HalfOutput = halfOutput,
                Chained = beginsChain && _chain.Enabled,
                Activation = _config.Activation,
                ResidualScale = _config.ResidualScale,
                NormedInput = normedInput ? (_config.Width, _config.NormEps) : null,
                HeadNormedInput = input == ProductInput.HeadNorm ? (headSquares, _activations.HeadTiles, _config.Heads, _config.ValueSize) : null,
                OutputNorm = nextNorm is { } follows ? (follows.Weight, _activations.Normed) : null,
            });
            return;
        }

        var tile = _tuning.ProductTile(_model.Device.Capabilities, matrix, output, _activations.Rows);
        var rows = (uint)(output == ProductOutput.GatedUnit ? matrix.Rows / 2 : matrix.Rows);
        _chain.Join(recorder);
        recorder.Dispatch(Product(new(matrix.Type, matrix.Interleave, input, output, matrix.Bias != 0, tile)), new MatVecArguments
        {
            Weights = matrix.Weights,
            Scales = matrix.Scales,
            X = x,
            NormWeight = normWeight,
            HeadSquares = headSquares,
            Y = y,
            Residual = Residual,
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
        }, Math.Min((rows + tile.WorkgroupRows - 1) / tile.WorkgroupRows, tile.Workgroups), ((uint)tokens + tile.Tokens - 1) / tile.Tokens);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<MatVecArguments> Product(ProductKey key)
    {
        if (!_products.TryGetValue(key, out var kernel))
            _products.Add(key, kernel = KernelFactory.Product(_model.Device, _config, key, _chain.Enabled));
        return kernel;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<NormArguments> NormKernel(bool subtractMean, bool halfOutput)
    {
        if (!_norms.TryGetValue((subtractMean, halfOutput), out var kernel))
            _norms.Add((subtractMean, halfOutput), kernel = KernelFactory.Norm(_model.Device, _tuning, subtractMean, halfOutput));
        return kernel;
    }
}
