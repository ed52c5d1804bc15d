using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// The tokens of sequences in memory that host and device share: a ring each, so that it takes the same memory however long
/// they grow. The embedding reads entry n as input n; the sampler writes entry n + 1.
/// </summary>
public sealed class TokenLog : IDisposable
{
    /// <summary>Entries of a ring; a power of two.</summary>
    public const int Capacity = 4096;

    internal const uint Mask = Capacity - 1;

    /// <summary>NONE of sample.comp: the token of logits that are no numbers.</summary>
    private const int None = -1;

    private readonly GpuBuffer _buffer;

    internal TokenLog(GpuDevice device, int sequences) => _buffer = device.Allocate("token log", BytesOf(sequences), MemoryPlacement.Readback);

    internal ulong Address => _buffer.Address;

    /// <summary>The token at a position of a sequence; only the last <see cref="Capacity"/> are kept.</summary>
    internal int this[int sequence, long position]
    {
        get => Volatile.Read(ref _buffer.AsSpan<int>()[At(sequence, position)]);
        set => _buffer.AsSpan<int>()[At(sequence, position)] = value;
    }

    /// <summary>Whether there is a token at a position where the device was to sample one.</summary>
    internal bool HasToken(int sequence, long position) => this[sequence, position] != None;

    /// <summary>The token that the device has sampled at a position.</summary>
    /// <exception cref="GpuException">The logits were no numbers, so that there is none.</exception>
    internal int Sampled(int sequence, long position) => HasToken(sequence, position)
        ? this[sequence, position]
        : throw new GpuException($"the logits of token {position} are no numbers: the model's weights may be broken; if they are not, try {ChainProbe.Switch}=0 in the environment");

    internal static ulong BytesOf(int sequences) => (ulong)sequences * Capacity * sizeof(int);

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private static int At(int sequence, long position) => sequence * Capacity + (int)(position & Mask);
}
