namespace RetNet.Vulkan.Gpu;

/// <summary>What kind of device a Vulkan physical device is, best for compute first.</summary>
public enum DeviceKind
{
    /// <summary>A card with its own memory.</summary>
    DiscreteGpu,

    /// <summary>A GPU that shares the processor's memory.</summary>
    IntegratedGpu,

    /// <summary>A GPU seen through virtualisation.</summary>
    VirtualGpu,

    /// <summary>Anything else that is no processor.</summary>
    Other,

    /// <summary>A software driver on the processor.</summary>
    Cpu,
}

/// <summary>Everything about a device that a kernel or a schedule may depend on. Kernels are chosen from these, never from a vendor's name.</summary>
public readonly record struct DeviceCapabilities
{
    /// <summary>Kind of device.</summary>
    public required DeviceKind Kind { get; init; }

    /// <summary>Vulkan version of the device, e.g. 1.3.230.</summary>
    public required Version ApiVersion { get; init; }

    /// <summary>Lanes of a subgroup as the driver reports it.</summary>
    public required uint SubgroupSize { get; init; }

    /// <summary>Whether compute shaders have subgroup basic, vote and arithmetic operations. Required.</summary>
    public required bool SubgroupArithmetic { get; init; }

    /// <summary>Whether a lane's value can be broadcast to its subgroup (subgroup ballot operations).</summary>
    public required bool SubgroupBroadcast { get; init; }

    /// <summary>Whether buffers have device addresses. Required.</summary>
    public required bool BufferDeviceAddress { get; init; }

    /// <summary>Whether timeline semaphores exist. Required (core in Vulkan 1.2).</summary>
    public required bool TimelineSemaphore { get; init; }

    /// <summary>Bytes of shared memory a workgroup may use. At least 32 KiB required.</summary>
    public required uint SharedMemoryBytes { get; init; }

    /// <summary>Invocations a workgroup may have. At least 256 required.</summary>
    public required uint WorkgroupInvocations { get; init; }

    /// <summary>Workgroups a dispatch may have along x.</summary>
    public required uint WorkgroupCount { get; init; }

    /// <summary>Bytes of push constants; 128 are guaranteed.</summary>
    public required uint PushConstantBytes { get; init; }

    /// <summary>Largest single allocation in bytes.</summary>
    public required ulong MaxAllocationBytes { get; init; }

    /// <summary>Size in bytes of the heap that weights and states live in.</summary>
    public required ulong DeviceMemoryBytes { get; init; }

    /// <summary>Whether memory that is local to the device can be written by the host directly.</summary>
    public required bool HostVisibleDeviceMemory { get; init; }

    /// <summary>Nanoseconds a timestamp tick; 0 where the compute queue has no timestamps.</summary>
    public required float TimestampPeriod { get; init; }

    /// <summary>Whether the driver reports the memory budget (VK_EXT_memory_budget).</summary>
    public required bool MemoryBudget { get; init; }

    /// <summary>The subgroup sizes that a kernel may ask for; null where the driver alone decides (no feature subgroupSizeControl for compute).</summary>
    public required SubgroupSizes? SubgroupSizeControl { get; init; }

    /// <summary>8-bit integers in arithmetic.</summary>
    public required bool Int8 { get; init; }

    /// <summary>16-bit integers in arithmetic.</summary>
    public required bool Int16 { get; init; }

    /// <summary>64-bit integers.</summary>
    public required bool Int64 { get; init; }

    /// <summary>16-bit floats in arithmetic.</summary>
    public required bool Float16 { get; init; }

    /// <summary>16-bit types in buffers.</summary>
    public required bool Storage16Bit { get; init; }

    /// <summary>8-bit types in buffers.</summary>
    public required bool Storage8Bit { get; init; }

    /// <summary>Integer dot products of packed bytes in hardware.</summary>
    public required bool IntegerDotProduct { get; init; }

    /// <summary>Vulkan's memory model, which kernels with cooperative matrices declare.</summary>
    public required bool MemoryModel { get; init; }

    /// <summary>The memory model's atomics and barriers across workgroups.</summary>
    public required bool MemoryModelDeviceScope { get; init; }

    /// <summary>
    /// What the matrix units multiply at once: all shapes with f16 factors and f32 sums of a subgroup that the driver lists, in its order (VK_KHR_cooperative_matrix).
    /// Empty where there are none, where the device lacks what they are used with (the memory model, f16 arithmetic and storage), and under a validation layer
    /// that is older than the extension.
    /// </summary>
    public required IReadOnlyList<MatrixShape> MatrixShapes { get; init; }

    /// <summary>Matrices of a whole workgroup (VK_NV_cooperative_matrix2); null where kernels cannot use them, as for <see cref="MatrixShapes"/>.</summary>
    public required WorkgroupMatrices? WorkgroupMatrices { get; init; }

    /// <summary>VK_KHR_pipeline_executable_properties: registers, spills and the like of compiled kernels.</summary>
    public required bool PipelineStatistics { get; init; }

    /// <summary>What the base kernels need and the device lacks, in words; null when nothing is missing.</summary>
    public string? MissingRequirement => this switch
    {
        _ when ApiVersion < new Version(1, 2) => $"Vulkan 1.2 (it has {ApiVersion.ToString(2)})",
        { BufferDeviceAddress: false } => "the feature bufferDeviceAddress",
        { TimelineSemaphore: false } => "the feature timelineSemaphore",
        { SubgroupArithmetic: false } => "subgroup votes and arithmetic in compute shaders",
        { SharedMemoryBytes: < 32 * 1024 } => $"32 KiB of shared memory (it has {SharedMemoryBytes} bytes)",
        { WorkgroupInvocations: < 256 } => $"workgroups of 256 (it allows {WorkgroupInvocations})",
        _ => null,
    };
}
