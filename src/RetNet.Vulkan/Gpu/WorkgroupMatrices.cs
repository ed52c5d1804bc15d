namespace RetNet.Vulkan.Gpu;

/// <summary>
/// Matrices of f16 with sums in f32 that belong to a workgroup, in sizes of the kernel's choice, loaded through tensor layouts with a function that
/// decodes their elements (VK_NV_cooperative_matrix2 with the features WorkgroupScope, FlexibleDimensions, TensorAddressing and BlockLoads).
/// </summary>
public sealed record WorkgroupMatrices
{
    /// <summary>What sizes are possible with how many invocations; not empty.</summary>
    public required IReadOnlyList<WorkgroupMatrixShape> Granularities { get; init; }

    /// <summary>Invocations that a workgroup with such matrices may have.</summary>
    public required uint MaxInvocations { get; init; }

    /// <summary>Rows or columns that a matrix may have.</summary>
    public required uint MaxDimension { get; init; }

    /// <summary>Bytes of <see cref="DeviceCapabilities.SharedMemoryBytes"/> that the driver keeps for itself in kernels with such matrices.</summary>
    public required uint ReservedSharedMemoryBytes { get; init; }

    /// <summary>Whether rows and columns can be reduced.</summary>
    public required bool Reductions { get; init; }

    /// <summary>Whether matrices convert between uses: a result into a factor, transposed too.</summary>
    public required bool Conversions { get; init; }

    /// <summary>Whether a function can be applied to every element with its row and column.</summary>
    public required bool PerElementOperations { get; init; }
}
