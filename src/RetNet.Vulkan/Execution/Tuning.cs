using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes that change speed and not results, chosen from what the device is (docs/kernels.md).</summary>
/// <param name="MatVecThreads">Threads of a matrix-vector workgroup.</param>
/// <param name="MatVecRows">Rows a subgroup holds in registers.</param>
/// <param name="RetentionThreads">Threads of a retention workgroup.</param>
/// <param name="RetentionTileLanes">Threads of it along the value columns, four columns each.</param>
internal readonly record struct Tuning(uint MatVecThreads, uint MatVecRows, uint RetentionThreads, uint RetentionTileLanes)
{
    /// <summary>
    /// On a processor a workgroup is one subgroup (no barrier to pay) with several rows to reuse what it loaded; a GPU
    /// wants many small workgroups in flight instead.
    /// </summary>
    public static Tuning For(DeviceCapabilities capabilities) => capabilities.Kind == DeviceKind.Cpu
        ? new Tuning(capabilities.SubgroupSize, 4, capabilities.SubgroupSize, capabilities.SubgroupSize)
        : new Tuning(128, 1, 256, 8);

    /// <summary>Tiles of a head's value columns.</summary>
    public int RetentionTiles(int valueVectors) => (valueVectors + (int)RetentionTileLanes - 1) / (int)RetentionTileLanes;
}
