namespace RetNet.Vulkan.Gpu;

/// <summary>
/// Sizes of the product C [M, N] += A [M, K] · B [K, N] that a subgroup's matrix unit computes at once (VK_KHR_cooperative_matrix).
/// </summary>
/// <param name="M">Rows of A and C.</param>
/// <param name="N">Columns of B and C.</param>
/// <param name="K">Columns of A, rows of B.</param>
public readonly record struct MatrixShape(uint M, uint N, uint K)
{
    /// <summary><c>16x16x16</c>: M, N, K.</summary>
    public override string ToString() => $"{M}x{N}x{K}";
}
