using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// The arena of a forward pass: what a kernel hands to the next, for as many tokens as the pass takes. All is f32, but that the
/// inputs of products are f16 where those are (<see cref="ProductPrecision.F16"/>). Every row is padded to a multiple of 64 with
/// zeros that stay zero, since rows of weights are read in whole quads. Layers use the same memory in turn, but for what a chain
/// hands on (<see cref="DispatchChain"/>): that has a place of its own, which says whether it has been written.
/// </summary>
internal sealed class Activations : IDisposable
{
    private const ulong Alignment = 256;
    private const int ResidualArray = 3, ProjectionsArray = 4, RetainedArray = 5, SquaresArray = 6, HiddenArray = 7;
    private readonly GpuBuffer _buffer;
    private readonly ulong[] _addresses;
    private readonly ulong[] _sizes;
    private readonly ChainScope _chain;

    /// <summary>Takes the memory; its contents are undefined until <see cref="Clear"/>.</summary>
    /// <param name="device">The device.</param>
    /// <param name="config">The model.</param>
    /// <param name="headTiles">Σo² that the recurrent retention kernel leaves behind for each head.</param>
    /// <param name="rows">Tokens of a pass.</param>
    /// <param name="logitRows">Tokens whose logits are computed at once.</param>
    /// <param name="precision">What the inputs of products are.</param>
    /// <param name="halfProjections">Whether <see cref="Projections"/> are f16.</param>
    /// <param name="chain">What has a place of its own in each layer.</param>
    public Activations(
        GpuDevice device, RetNetConfig config, int headTiles, int rows, int logitRows,
        ProductPrecision precision = ProductPrecision.F32, bool halfProjections = false, ChainScope chain = ChainScope.None)
    {
        (Rows, LogitRows, HeadTiles, Precision, HalfProjections, _chain) = (rows, logitRows, headTiles, precision, halfProjections, chain);
        (WidthStride, ProjectionStride, RetainedStride, HiddenStride) = Strides(config);
        _sizes = Sizes(config, headTiles, rows, logitRows, precision, halfProjections);
        var copies = Copies(config, chain);
        _buffer = device.Allocate("activations", Total(_sizes, copies));
        _addresses = new ulong[_sizes.Length];
        for (var (i, address) = (0, _buffer.Address); i < _sizes.Length; address += _sizes[i] * copies[i++])
            _addresses[i] = address;
    }

    /// <summary>What <see cref="Normed"/>, <see cref="Retained"/> and <see cref="Hidden"/> are.</summary>
    public ProductPrecision Precision { get; }

    /// <summary>Whether <see cref="Projections"/> are f16.</summary>
    public bool HalfProjections { get; }

    /// <summary>Tokens of a pass.</summary>
    public int Rows { get; }

    /// <summary>Tokens whose logits are computed at once.</summary>
    public int LogitRows { get; }

    /// <summary>Entries of <see cref="HeadSquares"/> a head.</summary>
    public int HeadTiles { get; }

    /// <summary>The residual stream normalised, [rows][<see cref="WidthStride"/>].</summary>
    public ulong Normed => _addresses[0];

    /// <summary>Logits, [logit rows][V].</summary>
    public ulong Logits => _addresses[1];

    /// <summary>The residual stream x as the embedding leaves it, [rows][<see cref="WidthStride"/>].</summary>
    public ulong Residual => ResidualAfter(0);

    /// <summary>The residual stream after so many additions to it, of which a layer makes two.</summary>
    public ulong ResidualAfter(int additions) => Place(ResidualArray, additions);

    /// <summary>Queries, keys, values and gates of a layer, one after the other, [rows][<see cref="ProjectionStride"/>].</summary>
    public ulong Projections(int layer) => Place(ProjectionsArray, layer);

    /// <summary>A layer's retention's output, [rows][<see cref="RetainedStride"/>].</summary>
    public ulong Retained(int layer) => Place(RetainedArray, layer);

    /// <summary>Σo² of each row, head and tile; the recurrent step's.</summary>
    public ulong HeadSquares(int layer) => Place(SquaresArray, layer);

    /// <summary>Inner activations of a layer's feed-forward network, [rows][<see cref="HiddenStride"/>].</summary>
    public ulong Hidden(int layer) => Place(HiddenArray, layer);

    /// <summary>Retention's output before the head norm, f32, [rows][<see cref="RetainedStride"/>]; the same as <see cref="Retained"/> where that is f32.</summary>
    public ulong HeadOutputs(int layer) => Precision == ProductPrecision.F32 ? Retained(layer) : _addresses[2];

    /// <summary>What a norm makes <see cref="Hidden"/> of, f32, likewise; the same where that is f32. Only models with such a norm have it.</summary>
    public ulong HiddenSums(int layer) => Precision == ProductPrecision.F32 ? Hidden(layer) : _addresses[2];

    /// <summary>Elements from one row of the residual stream to the next.</summary>
    public int WidthStride { get; }

    /// <summary>Elements from one row of the projections to the next.</summary>
    public int ProjectionStride { get; }

    /// <summary>Elements from one row of retention's output to the next.</summary>
    public int RetainedStride { get; }

    /// <summary>Elements from one row of the inner activations to the next.</summary>
    public int HiddenStride { get; }

    public static ulong BytesOf(
        RetNetConfig config, int headTiles, int rows, int logitRows, ProductPrecision precision = ProductPrecision.F32, bool halfProjections = false, ChainScope chain = ChainScope.None) =>
        Total(Sizes(config, headTiles, rows, logitRows, precision, halfProjections), Copies(config, chain));

    /// <summary>Clears everything: the padding has to be zero.</summary>
    public void Clear(Recorder recorder) => recorder.Fill(_buffer);

    /// <summary>Makes all that a chain hands on missing, for a step to write; of the residual stream what follows the embedded tokens.</summary>
    public void BeginChain(Recorder recorder)
    {
        var (from, to) = _chain switch
        {
            ChainScope.Step => (ResidualAfter(1), _buffer.Address + _buffer.Bytes),
            ChainScope.Retention => (Projections(0), Retained(0)),
            _ => (0UL, 0UL),
        };
        if (from < to)
            recorder.Fill(_buffer, from - _buffer.Address, to - from, DispatchChain.Missing);
    }

    /// <summary>Copies the first rows of the logits into a buffer that the host can read.</summary>
    public void CopyLogits(Recorder recorder, GpuBuffer destination, ulong bytes) => recorder.Copy(_buffer, Logits - _buffer.Address, destination, 0, bytes);

    public void Dispose() => _buffer.Dispose();

    private static (int Width, int Projections, int Retained, int Hidden) Strides(RetNetConfig config)
    {
        var gate = config.OutputGate ? config.OutputWidth : 0;
        return (
            WeightStore.PaddedLength(config.Width),
            WeightStore.PaddedLength(config.QueryWidth + config.KeyWidth + config.ValueWidth + gate),
            WeightStore.PaddedLength(config.OutputWidth),
            WeightStore.PaddedLength(config.FeedForwardSize));
    }

    /// <summary>Bytes of each array: normed, logits, what norms are taken of, residual stream, projections, retained, Σo², hidden.</summary>
    private static ulong[] Sizes(RetNetConfig config, int headTiles, long rows, long logitRows, ProductPrecision precision, bool halfProjections)
    {
        var (width, projections, retained, hidden) = Strides(config);
        var half = precision == ProductPrecision.F16;
        var elements = half ? 2 : 1;
        long[] words =
        [
            rows * width / elements, logitRows * config.VocabularySize, half ? rows * Math.Max(retained, hidden) : 0,
            rows * width, rows * projections / (halfProjections ? 2 : 1), rows * retained / elements, rows * config.Heads * headTiles, rows * hidden / elements,
        ];
        return [.. words.Select(Align)];
    }

    /// <summary>How often each array is there.</summary>
    private static ulong[] Copies(RetNetConfig config, ChainScope chain)
    {
        var layers = (ulong)config.Layers;
        return chain switch
        {
            ChainScope.Step => [1, 1, 1, (2 * layers) + 1, layers, layers, layers, layers],
            ChainScope.Retention => [1, 1, 1, 1, layers, 1, 1, 1],
            _ => [1, 1, 1, 1, 1, 1, 1, 1],
        };
    }

    private static ulong Align(long floats) => ((ulong)floats * sizeof(float) + Alignment - 1) / Alignment * Alignment;

    private static ulong Total(ulong[] sizes, ulong[] copies) => sizes.Zip(copies, (size, count) => size * count).Aggregate(0UL, (sum, bytes) => sum + bytes);

    private ulong Place(int array, int copy) =>
        _addresses[array] + (_chain == ChainScope.Step || (_chain == ChainScope.Retention && array == ProjectionsArray) ? (ulong)copy * _sizes[array] : 0);
}
