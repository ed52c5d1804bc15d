using Silk.NET.Vulkan;
using Silk.NET.Vulkan.Extensions.KHR;
using Silk.NET.Vulkan.Extensions.NV;

namespace RetNet.Vulkan.Gpu;

/// <summary>Reads what a device with cooperative matrices multiplies: f16 factors, f32 sums, nothing saturated.</summary>
internal static unsafe class MatrixUnitsQuery
{
    /// <summary>The products of a subgroup. The device must have VK_KHR_cooperative_matrix.</summary>
    public static MatrixShape[] Shapes(PhysicalGpu gpu)
    {
        var vk = gpu.Instance.Vk;
        var matrices = new PhysicalDeviceCooperativeMatrixFeaturesKHR { SType = StructureType.PhysicalDeviceCooperativeMatrixFeaturesKhr };
        var features = new PhysicalDeviceFeatures2 { SType = StructureType.PhysicalDeviceFeatures2, PNext = &matrices };
        vk.GetPhysicalDeviceFeatures2(gpu.Handle, &features);
        var stages = new PhysicalDeviceCooperativeMatrixPropertiesKHR { SType = StructureType.PhysicalDeviceCooperativeMatrixPropertiesKhr };
        var properties = new PhysicalDeviceProperties2 { SType = StructureType.PhysicalDeviceProperties2, PNext = &stages };
        vk.GetPhysicalDeviceProperties2(gpu.Handle, &properties);
        if (!matrices.CooperativeMatrix || !stages.CooperativeMatrixSupportedStages.HasFlag(ShaderStageFlags.ComputeBit)
            || !vk.TryGetDeviceExtension(gpu.Instance.Handle, default, out KhrCooperativeMatrix? extension))
            return [];

        uint count = 0;
        extension.GetPhysicalDeviceCooperativeMatrixProperties(gpu.Handle, &count, null).ThrowOnError("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", gpu.Name);
        var rows = new CooperativeMatrixPropertiesKHR[count];
        Array.Fill(rows, new() { SType = StructureType.CooperativeMatrixPropertiesKhr });
        fixed (CooperativeMatrixPropertiesKHR* first = rows)
            extension.GetPhysicalDeviceCooperativeMatrixProperties(gpu.Handle, &count, first).ThrowOnError("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", gpu.Name);
        return [.. rows.Where(row => row.Scope == ScopeKHR.SubgroupKhr && !row.SaturatingAccumulation && IsHalfToSingle(row.AType, row.BType, row.CType, row.ResultType))
            .Select(row => new MatrixShape(row.MSize, row.NSize, row.KSize)).Distinct()];
    }

    /// <summary>The products of a workgroup; null where a feature is missing or no row is of these types. The device must have VK_NV_cooperative_matrix2.</summary>
    public static WorkgroupMatrices? OfWorkgroups(PhysicalGpu gpu)
    {
        var vk = gpu.Instance.Vk;
        var matrices = new PhysicalDeviceCooperativeMatrix2FeaturesNV { SType = StructureType.PhysicalDeviceCooperativeMatrix2FeaturesNV };
        var features = new PhysicalDeviceFeatures2 { SType = StructureType.PhysicalDeviceFeatures2, PNext = &matrices };
        vk.GetPhysicalDeviceFeatures2(gpu.Handle, &features);
        if (!matrices.CooperativeMatrixWorkgroupScope || !matrices.CooperativeMatrixFlexibleDimensions
            || !matrices.CooperativeMatrixTensorAddressing || !matrices.CooperativeMatrixBlockLoads
            || Granularities(gpu) is not { Length: > 0 } granularities)
            return null;

        var limits = new PhysicalDeviceCooperativeMatrix2PropertiesNV { SType = StructureType.PhysicalDeviceCooperativeMatrix2PropertiesNV };
        var properties = new PhysicalDeviceProperties2 { SType = StructureType.PhysicalDeviceProperties2, PNext = &limits };
        vk.GetPhysicalDeviceProperties2(gpu.Handle, &properties);
        return new()
        {
            Granularities = granularities,
            MaxInvocations = limits.CooperativeMatrixWorkgroupScopeMaxWorkgroupSize,
            MaxDimension = limits.CooperativeMatrixFlexibleDimensionsMaxDimension,
            ReservedSharedMemoryBytes = limits.CooperativeMatrixWorkgroupScopeReservedSharedMemory,
            Reductions = matrices.CooperativeMatrixReductions,
            Conversions = matrices.CooperativeMatrixConversions,
            PerElementOperations = matrices.CooperativeMatrixPerElementOperations,
        };
    }

    private static WorkgroupMatrixShape[] Granularities(PhysicalGpu gpu)
    {
        if (!gpu.Instance.Vk.TryGetDeviceExtension(gpu.Instance.Handle, default, out NVCooperativeMatrix2? extension))
            return [];
        uint count = 0;
        extension.GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsProperties(gpu.Handle, &count, null).ThrowOnError("vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV", gpu.Name);
        var rows = new CooperativeMatrixFlexibleDimensionsPropertiesNV[count];
        Array.Fill(rows, new() { SType = StructureType.CooperativeMatrixFlexibleDimensionsPropertiesNV });
        fixed (CooperativeMatrixFlexibleDimensionsPropertiesNV* first = rows)
            extension.GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsProperties(gpu.Handle, &count, first).ThrowOnError("vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV", gpu.Name);
        return [.. rows.Where(row => row.Scope == ScopeKHR.WorkgroupKhr && !row.SaturatingAccumulation && IsHalfToSingle(row.AType, row.BType, row.CType, row.ResultType))
            .Select(row => new WorkgroupMatrixShape(row.MGranularity, row.NGranularity, row.KGranularity, row.WorkgroupInvocations)).Distinct()];
    }

    private static bool IsHalfToSingle(ComponentTypeKHR a, ComponentTypeKHR b, ComponentTypeKHR c, ComponentTypeKHR result) =>
        (a, b, c, result) is (ComponentTypeKHR.Float16Khr, ComponentTypeKHR.Float16Khr, ComponentTypeKHR.Float32Khr, ComponentTypeKHR.Float32Khr);
}
