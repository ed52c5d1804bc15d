using System.Runtime.InteropServices;
using Silk.NET.Vulkan;
using Silk.NET.Vulkan.Extensions.KHR;
using Silk.NET.Vulkan.Extensions.NV;

namespace RetNet.Vulkan.Gpu;

/// <summary>Opens devices with the features and extensions that kernels may use (<see cref="DeviceCapabilities"/>), and no others.</summary>
internal static unsafe class DeviceCreation
{
    /// <summary>Core since Vulkan 1.3; has no commands.</summary>
    public const string SubgroupSizeControl = "VK_EXT_subgroup_size_control";

    /// <summary>Creates the device with one compute queue.</summary>
    /// <param name="gpu">What to open.</param>
    /// <param name="statistics">Whether pipelines are asked for what the driver made of them.</param>
    public static Device Create(PhysicalGpu gpu, bool statistics)
    {
        var can = gpu.Capabilities;
        void* chain = null;
        var extensions = new List<string>();
        var executables = new PhysicalDevicePipelineExecutablePropertiesFeaturesKHR
        {
            SType = StructureType.PhysicalDevicePipelineExecutablePropertiesFeaturesKhr,
            PNext = chain,
            PipelineExecutableInfo = true,
        };
        if (statistics)
        {
            extensions.Add(KhrPipelineExecutableProperties.ExtensionName);
            chain = &executables;
        }

        var subgroupSizes = new PhysicalDeviceSubgroupSizeControlFeatures
        {
            SType = StructureType.PhysicalDeviceSubgroupSizeControlFeatures,
            PNext = chain,
            SubgroupSizeControl = true,
            ComputeFullSubgroups = can.SubgroupSizeControl is { Full: true },
        };
        if (can.SubgroupSizeControl is not null)
        {
            if (can.ApiVersion < new Version(1, 3))
                extensions.Add(SubgroupSizeControl);
            chain = &subgroupSizes;
        }

        var dotProduct = new PhysicalDeviceShaderIntegerDotProductFeatures
        {
            SType = StructureType.PhysicalDeviceShaderIntegerDotProductFeatures,
            PNext = chain,
            ShaderIntegerDotProduct = true,
        };
        if (can.IntegerDotProduct)
            chain = &dotProduct;

        var matrices = new PhysicalDeviceCooperativeMatrixFeaturesKHR
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrixFeaturesKhr,
            PNext = chain,
            CooperativeMatrix = true,
        };
        if (can.MatrixShapes.Count > 0)
        {
            extensions.Add(KhrCooperativeMatrix.ExtensionName);
            chain = &matrices;
        }

        var workgroupMatrices = new PhysicalDeviceCooperativeMatrix2FeaturesNV
        {
            SType = StructureType.PhysicalDeviceCooperativeMatrix2FeaturesNV,
            PNext = chain,
            CooperativeMatrixWorkgroupScope = true,
            CooperativeMatrixFlexibleDimensions = true,
            CooperativeMatrixTensorAddressing = true,
            CooperativeMatrixBlockLoads = true,
            CooperativeMatrixReductions = can.WorkgroupMatrices is { Reductions: true },
            CooperativeMatrixConversions = can.WorkgroupMatrices is { Conversions: true },
            CooperativeMatrixPerElementOperations = can.WorkgroupMatrices is { PerElementOperations: true },
        };
        if (can.WorkgroupMatrices is not null)
        {
            extensions.Add(NVCooperativeMatrix2.ExtensionName);
            chain = &workgroupMatrices;
        }

        var features11 = new PhysicalDeviceVulkan11Features
        {
            SType = StructureType.PhysicalDeviceVulkan11Features,
            PNext = chain,
            StorageBuffer16BitAccess = can.Storage16Bit,
        };
        var features12 = new PhysicalDeviceVulkan12Features
        {
            SType = StructureType.PhysicalDeviceVulkan12Features,
            PNext = &features11,
            BufferDeviceAddress = true,
            TimelineSemaphore = true,
            ShaderFloat16 = can.Float16,
            ShaderInt8 = can.Int8,
            StorageBuffer8BitAccess = can.Storage8Bit,
            VulkanMemoryModel = can.MemoryModel,
            VulkanMemoryModelDeviceScope = can.MemoryModelDeviceScope,
        };
        var features = new PhysicalDeviceFeatures { ShaderInt64 = can.Int64, ShaderInt16 = can.Int16 };
        return Create(gpu, &features12, &features, extensions);
    }

    private static Device Create(PhysicalGpu gpu, void* chain, PhysicalDeviceFeatures* features, List<string> extensions)
    {
        var priority = 1f;
        var queueInfo = new DeviceQueueCreateInfo
        {
            SType = StructureType.DeviceQueueCreateInfo,
            QueueFamilyIndex = gpu.QueueFamily,
            QueueCount = 1,
            PQueuePriorities = &priority,
        };
        var names = extensions.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        try
        {
            fixed (nint* first = names)
            {
                var info = new DeviceCreateInfo
                {
                    SType = StructureType.DeviceCreateInfo,
                    PNext = chain,
                    QueueCreateInfoCount = 1,
                    PQueueCreateInfos = &queueInfo,
                    PEnabledFeatures = features,
                    EnabledExtensionCount = (uint)names.Length,
                    PpEnabledExtensionNames = (byte**)first,
                };
                Device device;
                gpu.Instance.Vk.CreateDevice(gpu.Handle, &info, null, &device).ThrowOnError("vkCreateDevice", gpu.Name);
                return device;
            }
        }
        finally
        {
            Array.ForEach(names, Marshal.FreeCoTaskMem);
        }
    }
}
