using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// The arena of a forward pass: what a kernel hands to the next, for as many tokens as the pass takes. All is f32, but that the
/// inputs of products are f16 where those are (<see cref="ProductPrecision.F16"/>). Every row is padded to a multiple of 64 with
/// zeros that stay zero, since rows of weights are read in whole quads.
/// </summary>
internal sealed class Activations : IDisposable
{
    private const ulong Alignment = 256;
    private readonly GpuBuffer _buffer;

    /// <summary>Takes the memory; its contents are undefined until <see cref="Clear"/>.</summary>
    /// <param name="device">The device.</param>
    /// <param name="config">The model.</param>
    /// <param name="headTiles">Σo² that the recurrent retention kernel leaves behind for each head.</param>
    /// <param name="rows">Tokens of a pass.</param>
    /// <param name="logitRows">Tokens whose logits are computed at once.</param>
    /// <param name="precision">What the inputs of products are.</param>
    /// <param name="halfProjections">Whether <see cref="Projections"/> are f16.</param>
    public Activations(GpuDevice device, RetNetConfig config, int headTiles, int rows, int logitRows, ProductPrecision precision = ProductPrecision.F32, bool halfProjections = false)
    {
        (Rows, LogitRows, HeadTiles, Precision, HalfProjections) = (rows, logitRows, headTiles, precision, halfProjections);
        (WidthStride, ProjectionStride, RetainedStride, HiddenStride) = Strides(config);
        var sizes = Sizes(config, headTiles, rows, logitRows, precision, halfProjections);
        _buffer = device.Allocate("activations", Total(sizes));
        var addresses = new ulong[sizes.Length];
        for (var (i, address) = (0, _buffer.Address); i < sizes.Length; address += Align(sizes[i++]))
            addresses[i] = address;
        (Residual, Normed, Projections, Retained, HeadSquares, Hidden, Logits) =
            (addresses[0], addresses[1], addresses[2], addresses[3], addresses[4], addresses[5], addresses[6]);
        (HeadOutputs, HiddenSums) = precision == ProductPrecision.F32 ? (Retained, Hidden) : (addresses[7], addresses[7]);
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

    /// <summary>The residual stream x, [rows][<see cref="WidthStride"/>].</summary>
    public ulong Residual { get; }

    /// <summary>The residual stream normalised, likewise.</summary>
    public ulong Normed { get; }

    /// <summary>Queries, keys, values and gates, one after the other, [rows][<see cref="ProjectionStride"/>].</summary>
    public ulong Projections { get; }

    /// <summary>Retention's output before the head norm, f32, [rows][<see cref="RetainedStride"/>]; the same as <see cref="Retained"/> where that is f32.</summary>
    public ulong HeadOutputs { get; }

    /// <summary>Retention's output, [rows][<see cref="RetainedStride"/>].</summary>
    public ulong Retained { get; }

    /// <summary>Σo² of each row, head and tile; the recurrent step's.</summary>
    public ulong HeadSquares { get; }

    /// <summary>What a norm makes <see cref="Hidden"/> of, f32, likewise; the same where that is f32. Only models with such a norm have it.</summary>
    public ulong HiddenSums { get; }

    /// <summary>Inner activations of the feed-forward network, [rows][<see cref="HiddenStride"/>].</summary>
    public ulong Hidden { get; }

    /// <summary>Logits, [logit rows][V].</summary>
    public ulong Logits { get; }

    /// <summary>Elements from one row of the residual stream to the next.</summary>
    public int WidthStride { get; }

    /// <summary>Elements from one row of the projections to the next.</summary>
    public int ProjectionStride { get; }

    /// <summary>Elements from one row of retention's output to the next.</summary>
    public int RetainedStride { get; }

    /// <summary>Elements from one row of the inner activations to the next.</summary>
    public int HiddenStride { get; }

    public static ulong BytesOf(RetNetConfig config, int headTiles, int rows, int logitRows, ProductPrecision precision = ProductPrecision.F32, bool halfProjections = false) =>
        Total(Sizes(config, headTiles, rows, logitRows, precision, halfProjections));

    /// <summary>Clears everything: the padding has to be zero.</summary>
    public void Clear(Recorder recorder) => recorder.Fill(_buffer);

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

    /// <summary>In words of 32 bits.</summary>
    private static long[] Sizes(RetNetConfig config, int headTiles, long rows, long logitRows, ProductPrecision precision, bool halfProjections)
    {
        var (width, projections, retained, hidden) = Strides(config);
        var half = precision == ProductPrecision.F16;
        var elements = half ? 2 : 1;
        return
        [
            rows * width, rows * width / elements, rows * projections / (halfProjections ? 2 : 1), rows * retained / elements, rows * config.Heads * headTiles,
            rows * hidden / elements, logitRows * config.VocabularySize,
            half ? rows * Math.Max(retained, hidden) : 0,
        ];
    }

    private static ulong Align(long floats) => ((ulong)floats * sizeof(float) + Alignment - 1) / Alignment * Alignment;

    private static ulong Total(long[] sizes) => sizes.Aggregate(0UL, (sum, size) => sum + Align(size));
}
