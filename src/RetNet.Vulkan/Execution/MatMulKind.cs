namespace RetNet.Vulkan.Execution;

/// <summary>The kernels that multiply many tokens with a matrix (shaders/matmul).</summary>
internal enum MatMulKind
{
    /// <summary><c>matmul_tile</c>: f32 on any device.</summary>
    Tile,

    /// <summary><c>matmul_coopmat</c>: f16, matrices of subgroups.</summary>
    SubgroupMatrix,

    /// <summary><c>matmul_coopmat2</c>: f16, matrices of workgroups.</summary>
    WorkgroupMatrix,
}
