using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// A network forwards and backwards, from tokens to what the output projection multiplies. A layer is two sub-layers f; with the norm N before it
/// and the residual stream x, before the norms,
/// <code>
/// u = N(x),  x' = α · x + f(u)          N its own norm
/// u = N(x),  x' = α · u + f(u)          N the norm behind the sub-layer before it, in a post-norm model; none before the first
/// </code>
/// so that all norms are recomputed from the residual stream, and the last u is the output projection's input.
/// </summary>
internal sealed class TrainingNetwork : IDisposable
{
    private readonly GpuDevice _device;
    private readonly RetNetConfig _config;
    private readonly StepShape _shape;
    private readonly StepMemory _memory;
    private readonly ulong _tokens;
    private readonly bool _recompute;
    private readonly ParameterTensor _embedding;
    private readonly VectorGradients _vectors;
    private readonly NormKernels _norms;
    private readonly SublayerKernels _kernels;
    private readonly Kernel<EmbeddingRowsArguments> _embed;
    private readonly TrainingNorm? _embeddingNorm;
    private readonly ISublayer[] _sublayers;
    private readonly TrainingNorm?[] _normsBefore;
    private bool _swapped;

    /// <param name="device">The device.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="shape">The step.</param>
    /// <param name="products">Multiplies.</param>
    /// <param name="tables">Tokens, and what rows belong to.</param>
    /// <param name="pass">How many there are of each.</param>
    /// <param name="recompute">Whether layers' forward passes run again.</param>
    public TrainingNetwork(GpuDevice device, ParameterSet parameters, StepShape shape, TrainingProducts products, PassTables tables, PassShape pass, bool recompute)
    {
        (_device, _config, _shape, _recompute, _tokens) = (device, shape.Config, shape, recompute, tables.Tokens);
        var tuning = SublayerKernels.TuningFor(device, _config);
        _memory = new(device, shape, recompute);
        _vectors = new(device, tuning, shape.Rows, shape.MostColumns);
        _norms = new(device, tuning, _vectors, shape.Rows, Math.Max(_config.Width, _config.FeedForwardSize), _config.NormEps);
        _kernels = new(device, shape, _memory, tables, pass, _vectors);
        _embed = KernelFactory.EmbeddingRows(device, tuning, GgmlType.F32, interleave: 1);
        _embedding = parameters[TensorNames.Weight(TensorNames.TokenEmbedding)];
        _embeddingNorm = Norm(TensorNames.TokenEmbeddingNorm);
        _sublayers = [.. Enumerable.Range(0, _config.Layers).SelectMany(layer => new[] { Retention(layer), FeedForward(layer) })];
        TrainingNorm?[] own = [.. Enumerable.Range(0, _config.Layers).SelectMany(layer => new[] { Norm(TensorNames.AttentionNorm(layer)), Norm(TensorNames.FeedForwardNorm(layer)) })];
        _normsBefore = _config.PostNorm ? [null, .. own] : [.. own, Norm(TensorNames.OutputNorm)];

        TrainingNorm? Norm(string name) => TrainingNorm.Find(_norms, parameters, _config, name);
        LinearMap Map(params ReadOnlySpan<string> names) => new(parameters, products, _vectors, shape.Options.AdapterScale, names);
        ISublayer Retention(int layer) => new RetentionSublayer(
            _kernels, layer, Map(TensorNames.Query(layer), TensorNames.Key(layer), TensorNames.Value(layer), TensorNames.Gate(layer)), Map(TensorNames.AttentionOutput(layer)),
            parameters.Find(TensorNames.Weight(TensorNames.HeadNorm(layer))));
        ISublayer FeedForward(int layer) => new FeedForwardSublayer(
            _kernels, layer, Map(TensorNames.FeedForwardGate(layer), TensorNames.FeedForwardUp(layer)), Norm(TensorNames.FeedForwardSubNorm(layer)), Map(TensorNames.FeedForwardDown(layer)));
    }

    /// <summary>Sub-layers, two a layer.</summary>
    public int Sublayers => _sublayers.Length;

    /// <summary>What the output projection multiplies, after <see cref="RecordOutput"/>.</summary>
    public RowArray Output => _memory[StepArray.Input];

    /// <summary>The gradient with respect to <see cref="Output"/>, to be written before <see cref="RecordOutputBackward"/>.</summary>
    public RowArray OutputGradient => _memory[StepArray.InputGradient];

    /// <summary>The gradient with respect to the residual stream, in the order of recording; at the end with respect to the scaled embeddings.</summary>
    public RowArray StreamGradient => _memory[_swapped ? StepArray.InputGradient : StepArray.StreamGradient];

    private RowArray OtherGradient => _memory[_swapped ? StepArray.StreamGradient : StepArray.InputGradient];

    /// <summary>Tokens to the residual stream.</summary>
    public void RecordEmbedding(Recorder recorder)
    {
        RecordEmbedding(recorder, _embeddingNorm is null ? _memory.Stream(0) : _memory[StepArray.Input]);
        _embeddingNorm?.RecordForward(recorder, _memory[StepArray.Input], _memory.Stream(0), _shape.Rows);
    }

    /// <summary>A sub-layer, on the residual stream.</summary>
    public void RecordForward(Recorder recorder, int place)
    {
        RecordKept(recorder, place);
        RecordSum(recorder, place);
    }

    /// <summary>The residual stream to <see cref="Output"/>.</summary>
    public void RecordOutput(Recorder recorder) => RecordInput(recorder, Sublayers);

    /// <summary><see cref="OutputGradient"/> to <see cref="StreamGradient"/>.</summary>
    public void RecordOutputBackward(Recorder recorder)
    {
        _swapped = false;
        _normsBefore[Sublayers]!.RecordBackward(recorder, _memory.Stream(Sublayers), OtherGradient, StreamGradient, _shape.Rows);
    }

    /// <summary>A sub-layer backwards; to be recorded from the last to the first.</summary>
    public void RecordBackward(Recorder recorder, int place)
    {
        if (_recompute && place % 2 == 1)
        {
            RecordForward(recorder, place - 1);
            RecordKept(recorder, place);
        }

        var (input, norm) = (RecordInput(recorder, place), _normsBefore[place]);
        if (!_config.PostNorm)
        {
            _sublayers[place].RecordBackward(recorder, input, StreamGradient, OtherGradient, 0);
            norm!.RecordBackward(recorder, _memory.Stream(place), OtherGradient, StreamGradient, _shape.Rows, _config.ResidualScale);
            return;
        }

        _sublayers[place].RecordBackward(recorder, input, StreamGradient, StreamGradient, _config.ResidualScale);
        if (norm is null)
            return;
        norm.RecordBackward(recorder, _memory.Stream(place), StreamGradient, OtherGradient, _shape.Rows);
        _swapped = !_swapped;
    }

    /// <summary><see cref="StreamGradient"/> through the norm of the embedding.</summary>
    public void RecordEmbeddingBackward(Recorder recorder)
    {
        if (_embeddingNorm is null)
            return;
        RecordEmbedding(recorder, _memory[StepArray.Input]);
        _embeddingNorm.RecordBackward(recorder, _memory[StepArray.Input], StreamGradient, OtherGradient, _shape.Rows);
        _swapped = !_swapped;
    }

    public void Dispose()
    {
        _embed.Dispose();
        _kernels.Dispose();
        _norms.Dispose();
        _vectors.Dispose();
        _memory.Dispose();
    }

    private void RecordEmbedding(Recorder recorder, RowArray x)
    {
        foreach (var (first, count) in RowBlocks.Of(_device, _shape.Rows))
            recorder.Dispatch(_embed, new EmbeddingRowsArguments
            {
                Weights = _embedding.Weight,
                Scales = _embedding.Weight,
                Tokens = _tokens + ((ulong)first * sizeof(uint)),
                X = x.Row(first),
                Runs = (uint)DeviceMatrix.RunsOf(GgmlType.F32, _config.Width),
                Vectors = (uint)x.Stride / 4,
                Scale = _config.EmbeddingScale,
            }, count);
        recorder.Barrier();
    }

    /// <summary>u of a sub-layer; behind the last one, <see cref="Output"/>.</summary>
    private RowArray RecordInput(Recorder recorder, int place)
    {
        if (_normsBefore[place] is not { } norm)
            return _memory.Stream(place);
        norm.RecordForward(recorder, _memory.Stream(place), _memory[StepArray.Input], _shape.Rows);
        return _memory[StepArray.Input];
    }

    private void RecordKept(Recorder recorder, int place) => _sublayers[place].RecordKept(recorder, RecordInput(recorder, place));

    /// <summary>x' from x, or from u in a post-norm model, and what is kept.</summary>
    private void RecordSum(Recorder recorder, int place)
    {
        _memory.CopyStream(recorder, place, fromInput: _config.PostNorm && _normsBefore[place] is not null);
        recorder.Barrier();
        _sublayers[place].RecordOutput(recorder, _memory.Stream(place + 1), _config.ResidualScale);
    }
}
