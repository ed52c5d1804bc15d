using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>The memory types of a device and what is left in its heap.</summary>
internal sealed unsafe class MemoryTypes
{
    private const MemoryPropertyFlags HostCoherent = MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit;
    private readonly PhysicalGpu _gpu;
    private readonly PhysicalDeviceMemoryProperties _properties;

    public MemoryTypes(PhysicalGpu gpu)
    {
        _gpu = gpu;
        PhysicalDeviceMemoryProperties properties;
        gpu.Instance.Vk.GetPhysicalDeviceMemoryProperties(gpu.Handle, &properties);
        _properties = properties;
    }

    /// <summary>The best type for <paramref name="placement"/> among <paramref name="allowed"/>; <paramref name="mapped"/>: the host reaches it.</summary>
    public uint Find(MemoryPlacement placement, uint allowed, out bool mapped)
    {
        ReadOnlySpan<MemoryPropertyFlags> wishes = placement switch
        {
            MemoryPlacement.Device when _gpu.Capabilities.HostVisibleDeviceMemory => [GpuBuffer.MappedDeviceLocal, MemoryPropertyFlags.DeviceLocalBit],
            MemoryPlacement.Device => [MemoryPropertyFlags.DeviceLocalBit, MemoryPropertyFlags.None],
            MemoryPlacement.Readback => [HostCoherent | MemoryPropertyFlags.HostCachedBit, HostCoherent],
            _ => [HostCoherent],
        };
        foreach (var wish in wishes)
            for (var i = 0; i < _properties.MemoryTypeCount; i++)
                if ((allowed >> i & 1) == 1 && (_properties.MemoryTypes[i].PropertyFlags & wish) == wish)
                {
                    mapped = (wish & HostCoherent) == HostCoherent;
                    return (uint)i;
                }

        throw new GpuException($"{_gpu.Name} has no memory type for {placement} buffers.");
    }

    /// <summary>Bytes that can still be allocated in the device's heap: the driver's budget where it tells, else what <paramref name="allocated"/> leaves of the heap.</summary>
    public ulong AvailableDeviceBytes(ulong allocated)
    {
        if (!_gpu.Capabilities.MemoryBudget)
            return _gpu.Capabilities.DeviceMemoryBytes - Math.Min(_gpu.Capabilities.DeviceMemoryBytes, allocated);
        return DeviceHeaps().Aggregate(0UL, (largest, heap) => Math.Max(largest, heap.Budget - Math.Min(heap.Budget, heap.Usage)));
    }

    /// <summary>Bytes of the device's heaps that are in use, by the driver's count of this process; null where it does not tell.</summary>
    public ulong? UsedDeviceBytes() => _gpu.Capabilities.MemoryBudget ? DeviceHeaps().Aggregate(0UL, (sum, heap) => sum + heap.Usage) : null;

    private List<(ulong Budget, ulong Usage)> DeviceHeaps()
    {
        var budget = new PhysicalDeviceMemoryBudgetPropertiesEXT { SType = StructureType.PhysicalDeviceMemoryBudgetPropertiesExt };
        var properties = new PhysicalDeviceMemoryProperties2 { SType = StructureType.PhysicalDeviceMemoryProperties2, PNext = &budget };
        _gpu.Instance.Vk.GetPhysicalDeviceMemoryProperties2(_gpu.Handle, &properties);
        var heaps = new List<(ulong, ulong)>();
        for (var i = 0; i < _properties.MemoryHeapCount; i++)
            if (_properties.MemoryHeaps[i].Flags.HasFlag(MemoryHeapFlags.DeviceLocalBit))
                heaps.Add((budget.HeapBudget[i], budget.HeapUsage[i]));
        return heaps;
    }
}
