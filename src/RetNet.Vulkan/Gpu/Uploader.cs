namespace RetNet.Vulkan.Gpu;

/// <summary>
/// Fills buffers from the host in chunks: straight into mapped device memory where there is such, else through two
/// staging halves, so that one is filled while the other is copied.
/// </summary>
public sealed unsafe class Uploader : IDisposable
{
    private const ulong HalfBytes = 32UL << 20;
    private readonly GpuDevice _device;
    private readonly Half[] _halves = [new(), new()];
    private int _next;

    /// <summary>Creates an uploader; staging memory is taken when first needed.</summary>
    public Uploader(GpuDevice device) => _device = device;

    /// <summary>Writes <paramref name="bytes"/> bytes that the host makes.</summary>
    /// <param name="destination">Must not be in use by the device.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="bytes">Length in bytes, whole units.</param>
    /// <param name="unit">Chunks hold whole units of this many bytes (a matrix row, say).</param>
    /// <param name="fill">Called with where to write, the chunk's first byte counted from <paramref name="offset"/>, and its length.</param>
    public void Write(GpuBuffer destination, ulong offset, ulong bytes, ulong unit, Action<nint, ulong, ulong> fill)
    {
        var step = Math.Max(HalfBytes / unit, 1) * unit;
        for (ulong start = 0; start < bytes; start += step)
        {
            var length = Math.Min(step, bytes - start);
            if (destination.Mapped is not null)
                fill((nint)(destination.Mapped + offset + start), start, length);
            else
                Stage(destination, offset + start, length, pointer => fill(pointer, start, length));
        }
    }

    /// <summary>Waits until everything has arrived, and frees the staging memory.</summary>
    public void Dispose()
    {
        foreach (var half in _halves)
            half.Release(_device);
    }

    private void Stage(GpuBuffer destination, ulong offset, ulong bytes, Action<nint> fill)
    {
        var half = _halves[_next];
        _next = 1 - _next;
        half.Reserve(_device, bytes);
        fill((nint)half.Buffer!.Mapped);
        half.Copy(_device, destination, offset, bytes);
    }

    private sealed class Half
    {
        private Recording? _copy;
        private ulong _value;

        public GpuBuffer? Buffer { get; private set; }

        public void Reserve(GpuDevice device, ulong bytes)
        {
            Finish(device);
            if (Buffer is not null && Buffer.Bytes >= bytes)
                return;
            Buffer?.Dispose();
            Buffer = device.Allocate("staging", Math.Max(bytes, HalfBytes), MemoryPlacement.Upload);
        }

        public void Copy(GpuDevice device, GpuBuffer destination, ulong offset, ulong bytes)
        {
            _copy = device.Record("upload", recorder => recorder.Copy(Buffer!, 0, destination, offset, bytes));
            _value = device.Submit(_copy);
        }

        public void Release(GpuDevice device)
        {
            Finish(device);
            Buffer?.Dispose();
            Buffer = null;
        }

        private void Finish(GpuDevice device)
        {
            if (_copy is null)
                return;
            device.Wait(_value);
            _copy.Dispose();
            _copy = null;
        }
    }
}
