using System.Runtime.InteropServices;
using Silk.NET.Vulkan;
using Silk.NET.Vulkan.Extensions.KHR;
using Silk.NET.Vulkan.Extensions.NV;

namespace RetNet.Vulkan.Gpu;

/// <summary>Reads what Vulkan tells about a physical device.</summary>
internal static unsafe class PhysicalGpuQuery
{
    internal readonly record struct Description(
        string Name, string Driver, string Vendor, Guid Uuid, DeviceCapabilities Capabilities, uint QueueFamily);

    public static void Read(PhysicalGpu gpu, out Description description)
    {
        var vk = gpu.Instance.Vk;
        PhysicalDeviceProperties basic;
        vk.GetPhysicalDeviceProperties(gpu.Handle, &basic);
        var apiVersion = ToVersion(basic.ApiVersion);
        var name = Text(basic.DeviceName);

        var properties12 = new PhysicalDeviceVulkan12Properties { SType = StructureType.PhysicalDeviceVulkan12Properties };
        var properties11 = new PhysicalDeviceVulkan11Properties { SType = StructureType.PhysicalDeviceVulkan11Properties, PNext = &properties12 };
        var properties = new PhysicalDeviceProperties2 { SType = StructureType.PhysicalDeviceProperties2, PNext = &properties11 };
        var dotProduct = new PhysicalDeviceShaderIntegerDotProductFeatures { SType = StructureType.PhysicalDeviceShaderIntegerDotProductFeatures };
        var features12 = new PhysicalDeviceVulkan12Features { SType = StructureType.PhysicalDeviceVulkan12Features };
        var features11 = new PhysicalDeviceVulkan11Features { SType = StructureType.PhysicalDeviceVulkan11Features, PNext = &features12 };
        var features = new PhysicalDeviceFeatures2 { SType = StructureType.PhysicalDeviceFeatures2, PNext = &features11 };
        if (apiVersion >= new Version(1, 3))
            features12.PNext = &dotProduct;
        if (apiVersion >= new Version(1, 2))
        {
            vk.GetPhysicalDeviceProperties2(gpu.Handle, &properties);
            vk.GetPhysicalDeviceFeatures2(gpu.Handle, &features);
        }

        PhysicalDeviceMemoryProperties memory;
        vk.GetPhysicalDeviceMemoryProperties(gpu.Handle, &memory);
        var extensions = Extensions(vk, gpu.Handle);
        // An older validation layer takes the extensions' structures for errors.
        var hasMatrices = extensions.Contains(KhrCooperativeMatrix.ExtensionName) && IsKnown(gpu, new Version(1, 3, 255))
            && features12.VulkanMemoryModel && features12.ShaderFloat16 && features11.StorageBuffer16BitAccess;
        var shapes = hasMatrices ? MatrixUnitsQuery.Shapes(gpu) : [];
        var (queueFamily, timestampBits) = ComputeQueue(vk, gpu.Handle, name);
        const SubgroupFeatureFlags needed = SubgroupFeatureFlags.BasicBit | SubgroupFeatureFlags.VoteBit | SubgroupFeatureFlags.ArithmeticBit;
        var capabilities = new DeviceCapabilities
        {
            Kind = Kind(basic.DeviceType),
            ApiVersion = apiVersion,
            SubgroupSize = properties11.SubgroupSize,
            SubgroupArithmetic = (properties11.SubgroupSupportedOperations & needed) == needed
                && properties11.SubgroupSupportedStages.HasFlag(ShaderStageFlags.ComputeBit),
            SubgroupBroadcast = properties11.SubgroupSupportedOperations.HasFlag(SubgroupFeatureFlags.BallotBit)
                && properties11.SubgroupSupportedStages.HasFlag(ShaderStageFlags.ComputeBit),
            BufferDeviceAddress = features12.BufferDeviceAddress,
            TimelineSemaphore = features12.TimelineSemaphore,
            SharedMemoryBytes = basic.Limits.MaxComputeSharedMemorySize,
            WorkgroupInvocations = basic.Limits.MaxComputeWorkGroupInvocations,
            WorkgroupCount = basic.Limits.MaxComputeWorkGroupCount[0],
            PushConstantBytes = basic.Limits.MaxPushConstantsSize,
            MaxAllocationBytes = properties11.MaxMemoryAllocationSize,
            DeviceMemoryBytes = LargestDeviceHeap(memory),
            HostVisibleDeviceMemory = HasLargeHostVisibleHeap(memory),
            // A device that only compiles has an infinite one.
            TimestampPeriod = timestampBits > 0 && float.IsFinite(basic.Limits.TimestampPeriod) ? basic.Limits.TimestampPeriod : 0,
            MemoryBudget = extensions.Contains("VK_EXT_memory_budget"),
            SubgroupSizeControl = apiVersion >= new Version(1, 3) || extensions.Contains(DeviceCreation.SubgroupSizeControl) ? SubgroupSizeControl(vk, gpu.Handle) : null,
            Int8 = features12.ShaderInt8,
            Int16 = features.Features.ShaderInt16,
            Int64 = features.Features.ShaderInt64,
            Float16 = features12.ShaderFloat16,
            Storage16Bit = features11.StorageBuffer16BitAccess,
            Storage8Bit = features12.StorageBuffer8BitAccess,
            IntegerDotProduct = dotProduct.ShaderIntegerDotProduct,
            MemoryModel = features12.VulkanMemoryModel,
            MemoryModelDeviceScope = features12.VulkanMemoryModelDeviceScope,
            MatrixShapes = shapes,
            WorkgroupMatrices = shapes.Length > 0 && apiVersion >= new Version(1, 3) && extensions.Contains(NVCooperativeMatrix2.ExtensionName) && IsKnown(gpu, new Version(1, 4, 309)) ? MatrixUnitsQuery.OfWorkgroups(gpu) : null,
            PipelineStatistics = extensions.Contains(KhrPipelineExecutableProperties.ExtensionName),
        };
        var driver = $"{Text(properties12.DriverName)}, {Text(properties12.DriverInfo)}".Trim(' ', ',');
        var uuid = new Guid(new ReadOnlySpan<byte>(properties11.DeviceUuid, 16), bigEndian: true);
        description = new Description(name, driver, VendorName(basic.VendorID), uuid, capabilities, queueFamily);
    }

    /// <summary>A version as Vulkan packs it, without the variant.</summary>
    public static Version ToVersion(uint packed) => new((int)(packed >> 22 & 0x7F), (int)(packed >> 12 & 0x3FF), (int)(packed & 0xFFF));

    private static bool IsKnown(PhysicalGpu gpu, Version version) => gpu.Instance.ValidationVersion is not { } layer || layer >= version;

    private static SubgroupSizes? SubgroupSizeControl(Vk vk, PhysicalDevice device)
    {
        var control = new PhysicalDeviceSubgroupSizeControlFeatures { SType = StructureType.PhysicalDeviceSubgroupSizeControlFeatures };
        var features = new PhysicalDeviceFeatures2 { SType = StructureType.PhysicalDeviceFeatures2, PNext = &control };
        vk.GetPhysicalDeviceFeatures2(device, &features);
        var sizes = new PhysicalDeviceSubgroupSizeControlProperties { SType = StructureType.PhysicalDeviceSubgroupSizeControlProperties };
        var properties = new PhysicalDeviceProperties2 { SType = StructureType.PhysicalDeviceProperties2, PNext = &sizes };
        vk.GetPhysicalDeviceProperties2(device, &properties);
        return control.SubgroupSizeControl && sizes.RequiredSubgroupSizeStages.HasFlag(ShaderStageFlags.ComputeBit)
            ? new(sizes.MinSubgroupSize, sizes.MaxSubgroupSize, control.ComputeFullSubgroups)
            : null;
    }

    /// <summary>The heap that device-local memory of the most bytes comes from.</summary>
    private static ulong LargestDeviceHeap(in PhysicalDeviceMemoryProperties memory)
    {
        ulong largest = 0;
        for (var i = 0; i < memory.MemoryHeapCount; i++)
            if (memory.MemoryHeaps[i].Flags.HasFlag(MemoryHeapFlags.DeviceLocalBit))
                largest = Math.Max(largest, memory.MemoryHeaps[i].Size);
        return largest;
    }

    /// <summary>True when the whole device heap can be mapped, not only a small window into it.</summary>
    private static bool HasLargeHostVisibleHeap(in PhysicalDeviceMemoryProperties memory)
    {
        const MemoryPropertyFlags wanted = GpuBuffer.MappedDeviceLocal;
        var largest = LargestDeviceHeap(memory);
        for (var i = 0; i < memory.MemoryTypeCount; i++)
            if ((memory.MemoryTypes[i].PropertyFlags & wanted) == wanted && memory.MemoryHeaps[(int)memory.MemoryTypes[i].HeapIndex].Size == largest)
                return true;
        return false;
    }

    /// <summary>The first queue family with compute, and its timestamp bits.</summary>
    private static (uint Family, uint TimestampBits) ComputeQueue(Vk vk, PhysicalDevice device, string name)
    {
        uint count = 0;
        vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, null);
        var families = new QueueFamilyProperties[count];
        fixed (QueueFamilyProperties* first = families)
            vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, first);
        for (uint i = 0; i < count; i++)
            if (families[i].QueueFlags.HasFlag(QueueFlags.ComputeBit))
                return (i, families[i].TimestampValidBits);
        throw new GpuException($"{name} has no compute queue.");
    }

    private static HashSet<string> Extensions(Vk vk, PhysicalDevice device)
    {
        uint count = 0;
        vk.EnumerateDeviceExtensionProperties(device, (byte*)null, &count, null).ThrowOnError("vkEnumerateDeviceExtensionProperties");
        var extensions = new ExtensionProperties[count];
        var names = new HashSet<string>(StringComparer.Ordinal);
        fixed (ExtensionProperties* first = extensions)
        {
            vk.EnumerateDeviceExtensionProperties(device, (byte*)null, &count, first).ThrowOnError("vkEnumerateDeviceExtensionProperties");
            for (var i = 0; i < count; i++)
                names.Add(Text(first[i].ExtensionName));
        }

        return names;
    }

    private static DeviceKind Kind(PhysicalDeviceType type) => type switch
    {
        PhysicalDeviceType.DiscreteGpu => DeviceKind.DiscreteGpu,
        PhysicalDeviceType.IntegratedGpu => DeviceKind.IntegratedGpu,
        PhysicalDeviceType.VirtualGpu => DeviceKind.VirtualGpu,
        PhysicalDeviceType.Cpu => DeviceKind.Cpu,
        _ => DeviceKind.Other,
    };

    private static string VendorName(uint id) => id switch
    {
        0x1002 => "AMD",
        0x106B => "Apple",
        0x10DE => "NVIDIA",
        0x13B5 => "Arm",
        0x14E4 => "Broadcom",
        0x1AE0 => "Google",
        0x5143 => "Qualcomm",
        0x8086 => "Intel",
        0x10005 => "Mesa",
        _ => $"0x{id:X4}",
    };

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}
