using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>A part of a buffer.</summary>
internal readonly record struct BufferPart(GpuBuffer Buffer, ulong Offset)
{
    public ulong Address => Buffer.Address + Offset;
}
