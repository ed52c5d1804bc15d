using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// The arena of one decoding step: what a kernel hands to the next, all f32. Every vector is padded to a multiple of 64
/// with zeros that stay zero, since rows of weights are read in whole quads.
/// </summary>
internal sealed class Activations : IDisposable
{
    private const ulong Alignment = 256;
    private readonly GpuBuffer _buffer;

    public Activations(GpuDevice device, RetNetConfig config, int headTiles)
    {
        var sizes = Sizes(config, headTiles);
        _buffer = device.Allocate("activations", Total(sizes));
        var addresses = new ulong[sizes.Length];
        for (var (i, address) = (0, _buffer.Address); i < sizes.Length; address += Align(sizes[i++]))
            addresses[i] = address;
        (Position, Residual, Projections, Retained, HeadSquares, Hidden, Logits) =
            (addresses[0], addresses[1], addresses[2], addresses[3], addresses[4], addresses[5], addresses[6]);
        LogitsOffset = Logits - _buffer.Address;
    }

    /// <summary>Tokens consumed, one word.</summary>
    public ulong Position { get; }

    /// <summary>The residual stream x, [d].</summary>
    public ulong Residual { get; }

    /// <summary>Queries, keys, values and gates, one after the other.</summary>
    public ulong Projections { get; }

    /// <summary>Retention's gated output before the head norm's scale, [H·dv].</summary>
    public ulong Retained { get; }

    /// <summary>Σo² of each head and tile.</summary>
    public ulong HeadSquares { get; }

    /// <summary>Inner activations of the feed-forward network, [F].</summary>
    public ulong Hidden { get; }

    /// <summary>Logits, [V].</summary>
    public ulong Logits { get; }

    private ulong LogitsOffset { get; }

    public static ulong BytesOf(RetNetConfig config, int headTiles) => Total(Sizes(config, headTiles));

    /// <summary>Clears everything: position 0 and zero padding.</summary>
    public void Clear(Recorder recorder) => recorder.Fill(_buffer);

    public void ReadLogits(GpuDevice device, Span<float> destination) => device.Read(_buffer, LogitsOffset, destination);

    public void Dispose() => _buffer.Dispose();

    private static int[] Sizes(RetNetConfig config, int headTiles)
    {
        var gate = config.OutputGate ? config.OutputWidth : 0;
        return [1, config.Width, config.QueryWidth + config.KeyWidth + config.ValueWidth + gate, config.OutputWidth, config.Heads * headTiles, config.FeedForwardSize, config.VocabularySize];
    }

    private static ulong Align(int floats) => ((ulong)floats * sizeof(float) + Alignment - 1) / Alignment * Alignment;

    private static ulong Total(int[] sizes) => sizes.Aggregate(0UL, (sum, size) => sum + Align(size));
}
