using Silk.NET.Vulkan;
using Buffer = Silk.NET.Vulkan.Buffer;

namespace RetNet.Vulkan.Gpu;

/// <summary>Where a buffer lives.</summary>
public enum MemoryPlacement
{
    /// <summary>In the device's memory; mapped too where the whole of that memory can be.</summary>
    Device,

    /// <summary>In the host's memory, coherent, for the host to write and the device to read.</summary>
    Upload,

    /// <summary>In the host's memory, coherent and cached where possible, for the device to write and the host to read.</summary>
    Readback,
}

/// <summary>Device memory with an address that kernels take. Owned by whoever allocated it; not thread-safe against disposal.</summary>
public sealed unsafe class GpuBuffer : IDisposable
{
    internal const MemoryPropertyFlags MappedDeviceLocal =
        MemoryPropertyFlags.DeviceLocalBit | MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit;

    private readonly GpuDevice _device;
    private readonly DeviceMemory _memory;
    private readonly bool _onDevice;
    private bool _disposed;

    internal GpuBuffer(GpuDevice device, string name, ulong bytes, MemoryPlacement placement)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        (_device, Name, Bytes) = (device, name, bytes);
        Handle = CreateBuffer(device, bytes);
        try
        {
            _memory = AllocateAndBind(placement, out var mapped);
            if (mapped)
                Mapped = Map();
        }
        catch
        {
            device.Vk.DestroyBuffer(device.Handle, Handle, null);
            throw;
        }

        var addressInfo = new BufferDeviceAddressInfo { SType = StructureType.BufferDeviceAddressInfo, Buffer = Handle };
        Address = device.Vk.GetBufferDeviceAddress(device.Handle, &addressInfo);
        device.SetName(ObjectType.Buffer, Handle.Handle, name);
        _onDevice = placement == MemoryPlacement.Device;
        if (_onDevice)
            device.Allocated(bytes);
    }

    /// <summary>Name, for errors and the validation layer.</summary>
    public string Name { get; }

    /// <summary>Size in bytes.</summary>
    public ulong Bytes { get; }

    /// <summary>Device address of the first byte; aligned to 16 at least.</summary>
    public ulong Address { get; }

    /// <summary>Host pointer to the first byte; null where the host cannot reach the memory.</summary>
    public byte* Mapped { get; }

    internal Buffer Handle { get; }

    /// <summary>The buffer as elements of <typeparamref name="T"/> in host-visible memory.</summary>
    public Span<T> AsSpan<T>()
        where T : unmanaged
        => Mapped is not null
            ? new Span<T>(Mapped, checked((int)(Bytes / (ulong)sizeof(T))))
            : throw new InvalidOperationException($"The buffer '{Name}' is not host-visible.");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _device.Vk.DestroyBuffer(_device.Handle, Handle, null);
        _device.Vk.FreeMemory(_device.Handle, _memory, null);
        if (_onDevice)
            _device.Freed(Bytes);
    }

    private static Buffer CreateBuffer(GpuDevice device, ulong bytes)
    {
        var info = new BufferCreateInfo
        {
            SType = StructureType.BufferCreateInfo,
            Size = bytes,
            Usage = BufferUsageFlags.StorageBufferBit | BufferUsageFlags.ShaderDeviceAddressBit
                | BufferUsageFlags.TransferSrcBit | BufferUsageFlags.TransferDstBit,
            SharingMode = SharingMode.Exclusive,
        };
        Buffer buffer;
        device.Vk.CreateBuffer(device.Handle, &info, null, &buffer).ThrowOnError("vkCreateBuffer", $"{bytes} bytes");
        return buffer;
    }

    private DeviceMemory AllocateAndBind(MemoryPlacement placement, out bool mapped)
    {
        MemoryRequirements requirements;
        _device.Vk.GetBufferMemoryRequirements(_device.Handle, Handle, &requirements);
        var type = _device.MemoryTypes.Find(placement, requirements.MemoryTypeBits, out mapped);
        var flags = new MemoryAllocateFlagsInfo { SType = StructureType.MemoryAllocateFlagsInfo, Flags = MemoryAllocateFlags.AddressBit };
        var info = new MemoryAllocateInfo
        {
            SType = StructureType.MemoryAllocateInfo,
            PNext = &flags,
            AllocationSize = requirements.Size,
            MemoryTypeIndex = type,
        };
        DeviceMemory memory;
        var result = _device.Vk.AllocateMemory(_device.Handle, &info, null, &memory);
        if (result == Result.ErrorOutOfDeviceMemory && placement == MemoryPlacement.Device)
            throw new OutOfDeviceMemoryException(_device, Name, requirements.Size);
        result.ThrowOnError("vkAllocateMemory", $"{Name}, {requirements.Size} bytes");
        result = _device.Vk.BindBufferMemory(_device.Handle, Handle, memory, 0);
        if (result < Result.Success)
            _device.Vk.FreeMemory(_device.Handle, memory, null);
        result.ThrowOnError("vkBindBufferMemory");
        return memory;
    }

    private byte* Map()
    {
        void* pointer;
        _device.Vk.MapMemory(_device.Handle, _memory, 0, Vk.WholeSize, 0, &pointer).ThrowOnError("vkMapMemory", Name);
        return (byte*)pointer;
    }
}
