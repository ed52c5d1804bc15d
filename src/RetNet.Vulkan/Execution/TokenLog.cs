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
    private readonly GpuBuffer _buffer;

    internal TokenLog(GpuDevice device, int sequences) => _buffer = device.Allocate("token log", BytesOf(sequences), MemoryPlacement.Readback);

    internal ulong Address => _buffer.Address;

    /// <summary>The token at a position of a sequence; only the last <see cref="Capacity"/> are kept.</summary>
    internal int this[int sequence, long position]
    {
        get => Volatile.Read(ref _buffer.AsSpan<int>()[At(sequence, position)]);
        set => _buffer.AsSpan<int>()[At(sequence, position)] = value;
    }

    internal static ulong BytesOf(int sequences) => (ulong)sequences * Capacity * sizeof(int);

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private static int At(int sequence, long position) => sequence * Capacity + (int)(position & Mask);
}
