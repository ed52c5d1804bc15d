using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// The tokens of a sequence in memory that host and device share: a ring, so that it takes the same memory however long
/// the sequence grows. The embedding reads entry n as input n; the sampler writes entry n + 1.
/// </summary>
public sealed class TokenLog : IDisposable
{
    /// <summary>Entries of the ring; a power of two.</summary>
    public const int Capacity = 4096;

    internal const uint Mask = Capacity - 1;
    private readonly GpuBuffer _buffer;

    internal TokenLog(GpuDevice device) => _buffer = device.Allocate("token log", Bytes, MemoryPlacement.Readback);

    internal static ulong Bytes => Capacity * sizeof(int);

    internal ulong Address => _buffer.Address;

    /// <summary>The token at a position of the sequence; only the last <see cref="Capacity"/> are kept.</summary>
    internal int this[long position]
    {
        get => Volatile.Read(ref _buffer.AsSpan<int>()[(int)(position & Mask)]);
        set => _buffer.AsSpan<int>()[(int)(position & Mask)] = value;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}
