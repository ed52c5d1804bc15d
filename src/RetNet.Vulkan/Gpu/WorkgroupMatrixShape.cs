namespace RetNet.Vulkan.Gpu;

/// <summary>What the sizes of a product C [M, N] += A [M, K] · B [K, N] that a whole workgroup computes must be multiples of (VK_NV_cooperative_matrix2).</summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B.</param>
/// <param name="Invocations">Invocations of the workgroup, exactly.</param>
public readonly record struct WorkgroupMatrixShape(uint M, uint N, uint K, uint Invocations)
{
    /// <summary><c>32x16x16/128</c>: M, N, K and invocations.</summary>
    public override string ToString() => $"{M}x{N}x{K}/{Invocations}";
}
