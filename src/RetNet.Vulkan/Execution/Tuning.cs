using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes that change speed and not results, chosen from what the device is (docs/kernels.md).</summary>
/// <param name="MatVec">The matrix-vector kernel: <c>matvec_subgroup</c> or <c>matvec_lane</c>.</param>
/// <param name="MatVecThreads">Threads of a matrix-vector workgroup.</param>
/// <param name="MatVecRows">Rows that a subgroup, or a lane of it, holds in registers.</param>
/// <param name="Retention">The retention kernel: <c>retention_recurrent</c>, or <c>retention_recurrent_lane</c>.</param>
/// <param name="RetentionThreads">Threads of a retention workgroup.</param>
/// <param name="RetentionTileLanes">Threads of it along the value columns, four columns each.</param>
internal readonly record struct Tuning(string MatVec, uint MatVecThreads, uint MatVecRows, string Retention, uint RetentionThreads, uint RetentionTileLanes)
{
    /// <summary>
    /// On a processor a workgroup is one subgroup, which the driver runs as one vector, and loads are dear; a GPU wants
    /// many small workgroups in flight and contiguous loads.
    /// </summary>
    public static Tuning For(DeviceCapabilities capabilities)
    {
        var lanes = capabilities.SubgroupSize;
        return capabilities.Kind != DeviceKind.Cpu ? new("matvec_subgroup", 128, 1, "retention_recurrent", 256, 8)
            : DeviceMatrix.InterleaveFor(capabilities) == 1 ? new("matvec_subgroup", lanes, 4, "retention_recurrent", lanes, lanes)
            : new("matvec_lane", lanes, DeviceMatrix.LaneRows, "retention_recurrent_lane", lanes, lanes);
    }

    /// <summary>Rows that a matrix-vector workgroup takes at a time.</summary>
    public uint MatVecTile(uint subgroupSize, uint rowsAtOnce) =>
        MatVec == "matvec_lane" ? rowsAtOnce * MatVecThreads : rowsAtOnce * Math.Max(MatVecThreads / subgroupSize, 1);

    /// <summary>Tiles of a head's value columns.</summary>
    public int RetentionTiles(int valueVectors) => (valueVectors + (int)RetentionTileLanes - 1) / (int)RetentionTileLanes;
}
