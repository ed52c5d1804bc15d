using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>Recorded commands, ready to be submitted any number of times. Must not be disposed while it runs.</summary>
public sealed unsafe class Recording : IDisposable
{
    private readonly GpuDevice _device;
    private bool _disposed;

    internal Recording(GpuDevice device, string name, Action<Recorder> record, KernelTimings? timings)
    {
        (_device, Name) = (device, name);
        Handle = Allocate();
        try
        {
            var begin = new CommandBufferBeginInfo
            {
                SType = StructureType.CommandBufferBeginInfo,
                Flags = CommandBufferUsageFlags.SimultaneousUseBit,
            };
            device.Vk.BeginCommandBuffer(Handle, &begin).ThrowOnError("vkBeginCommandBuffer", name);
            var recorder = new Recorder(device, Handle, timings);
            recorder.Barrier();
            record(recorder);
            recorder.HostBarrier();
            device.Vk.EndCommandBuffer(Handle).ThrowOnError("vkEndCommandBuffer", name);
        }
        catch
        {
            Dispose();
            throw;
        }

        device.SetName(ObjectType.CommandBuffer, (ulong)Handle.Handle, name);
    }

    /// <summary>What is recorded, for errors.</summary>
    public string Name { get; }

    internal CommandBuffer Handle { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        var handle = Handle;
        _device.Vk.FreeCommandBuffers(_device.Handle, _device.CommandPool, 1, &handle);
    }

    private CommandBuffer Allocate()
    {
        var info = new CommandBufferAllocateInfo
        {
            SType = StructureType.CommandBufferAllocateInfo,
            CommandPool = _device.CommandPool,
            Level = CommandBufferLevel.Primary,
            CommandBufferCount = 1,
        };
        CommandBuffer buffer;
        _device.Vk.AllocateCommandBuffers(_device.Handle, &info, &buffer).ThrowOnError("vkAllocateCommandBuffers");
        return buffer;
    }
}
