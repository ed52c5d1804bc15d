using System.Runtime.CompilerServices;
using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>
/// Writes commands. Dispatches and copies between two barriers may run in any order and at once; a barrier makes all
/// writes before it visible to everything after it. A recording begins with one.
/// </summary>
public sealed unsafe class Recorder
{
    private readonly GpuDevice _device;
    private readonly CommandBuffer _commands;
    private readonly KernelTimings? _timings;

    internal Recorder(GpuDevice device, CommandBuffer commands, KernelTimings? timings)
    {
        (_device, _commands, _timings) = (device, commands, timings);
        timings?.Begin(commands);
    }

    /// <summary>What the next dispatches are for, so that <see cref="KernelTimings"/> keep the uses of a kernel apart; null for nothing special.</summary>
    public string? Use { get; set; }

    /// <summary>Runs a kernel over a grid of workgroups.</summary>
    public void Dispatch<TArguments>(Kernel<TArguments> kernel, in TArguments arguments, uint x, uint y = 1, uint z = 1)
        where TArguments : unmanaged
    {
        if (x == 0 || y == 0 || z == 0 || x > _device.Capabilities.WorkgroupCount || y > ushort.MaxValue || z > ushort.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(x), $"{kernel.Name}: a grid of {x} × {y} × {z} workgroups.");
        var vk = _device.Vk;
        vk.CmdBindPipeline(_commands, PipelineBindPoint.Compute, kernel.Handle);
        fixed (TArguments* values = &arguments)
            vk.CmdPushConstants(_commands, _device.PipelineLayout, ShaderStageFlags.ComputeBit, 0, (uint)Unsafe.SizeOf<TArguments>(), values);
        vk.CmdDispatch(_commands, x, y, z);
        _timings?.Mark(_commands, Use is null ? kernel.Name : $"{kernel.Name}: {Use}");
    }

    /// <summary>Orders everything before against everything after.</summary>
    public void Barrier()
    {
        const AccessFlags access = AccessFlags.ShaderReadBit | AccessFlags.ShaderWriteBit | AccessFlags.TransferReadBit | AccessFlags.TransferWriteBit;
        const PipelineStageFlags stages = PipelineStageFlags.ComputeShaderBit | PipelineStageFlags.TransferBit;
        Barrier(stages, access, stages, access);
    }

    /// <summary>Copies bytes between buffers.</summary>
    public void Copy(GpuBuffer source, ulong sourceOffset, GpuBuffer destination, ulong destinationOffset, ulong bytes)
    {
        var region = new BufferCopy { SrcOffset = sourceOffset, DstOffset = destinationOffset, Size = bytes };
        _device.Vk.CmdCopyBuffer(_commands, source.Handle, destination.Handle, 1, &region);
    }

    /// <summary>Fills a whole buffer with a word.</summary>
    public void Fill(GpuBuffer destination, uint word = 0) => _device.Vk.CmdFillBuffer(_commands, destination.Handle, 0, Vk.WholeSize, word);

    /// <summary>Fills a part of a buffer, whole words of it, with a word.</summary>
    public void Fill(GpuBuffer destination, ulong offset, ulong bytes, uint word) => _device.Vk.CmdFillBuffer(_commands, destination.Handle, offset, bytes, word);

    /// <summary>Makes all writes visible to the host once the submission has run.</summary>
    internal void HostBarrier() => Barrier(
        PipelineStageFlags.ComputeShaderBit | PipelineStageFlags.TransferBit,
        AccessFlags.ShaderWriteBit | AccessFlags.TransferWriteBit,
        PipelineStageFlags.HostBit,
        AccessFlags.HostReadBit);

    private void Barrier(PipelineStageFlags from, AccessFlags written, PipelineStageFlags to, AccessFlags used)
    {
        var barrier = new MemoryBarrier { SType = StructureType.MemoryBarrier, SrcAccessMask = written, DstAccessMask = used };
        _device.Vk.CmdPipelineBarrier(_commands, from, to, 0, 1, &barrier, 0, null, 0, null);
    }
}
