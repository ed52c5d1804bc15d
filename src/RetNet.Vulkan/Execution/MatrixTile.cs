using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>What a workgroup of retention on matrix units owns (shaders/include/retention_matrix.glsl).</summary>
/// <param name="M">Rows of its sums.</param>
/// <param name="N">Columns.</param>
/// <param name="Depth">What it takes at a time of what is summed over.</param>
/// <param name="Subgroups">Its subgroups.</param>
/// <param name="WavesM">Those of them along the rows.</param>
internal readonly record struct MatrixTile(uint M, uint N, uint Depth, uint Subgroups, uint WavesM)
{
    /// <summary>A processor's driver takes minutes to build a GPU's tile.</summary>
    private static MatrixTile Small { get; } = new(32, 32, 16, 2, 2);

    /// <summary>Key rows by value columns of a state. Its way through the chunks is serial: small tiles make more of them.</summary>
    public static MatrixTile States(DeviceCapabilities capabilities) => IsCpu(capabilities) ? Small : new(64, 128, 32, 4, 2);

    /// <summary>Queries by keys of a chunk.</summary>
    public static MatrixTile Scores(DeviceCapabilities capabilities, int chunkLength) =>
        IsCpu(capabilities) ? Small : new(Queries(chunkLength), 64, 32, 4, 2);

    /// <summary>Queries of a chunk by value columns.</summary>
    public static MatrixTile Outputs(DeviceCapabilities capabilities, int chunkLength) =>
        IsCpu(capabilities) ? Small : new(Queries(chunkLength), 128, 32, chunkLength <= 64 ? 4u : 8, 2);

    /// <summary>Whether a device's matrices fill the tile.</summary>
    public bool Fits(DeviceCapabilities capabilities, MatrixShape shape) =>
        M % (WavesM * shape.M) == 0 && N % (Subgroups / WavesM * shape.N) == 0 && Depth % shape.K == 0
            && shape is { M: 8 or 16, N: 8 or 16 } && Subgroups * capabilities.SubgroupSize <= capabilities.WorkgroupInvocations;

    private static uint Queries(int chunkLength) => chunkLength <= 64 ? 64u : 128;

    private static bool IsCpu(DeviceCapabilities capabilities) => capabilities.Kind == DeviceKind.Cpu;
}
