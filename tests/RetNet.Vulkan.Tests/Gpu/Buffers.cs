using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Gpu;

/// <summary>Device buffers with the contents of arrays, freed together.</summary>
internal sealed class Buffers(GpuDevice device) : IDisposable
{
    private readonly List<GpuBuffer> _buffers = [];

    public unsafe GpuBuffer Add<T>(T[] values)
        where T : unmanaged
    {
        var buffer = device.Allocate("test", (ulong)(values.Length * sizeof(T)));
        _buffers.Add(buffer);
        device.Write<T>(buffer, 0, values);
        return buffer;
    }

    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());
}
