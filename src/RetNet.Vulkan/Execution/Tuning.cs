using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes that change speed and not results, chosen from what the device is (docs/kernels.md).</summary>
/// <param name="MatVec">The matrix-vector kernel: <c>matvec_subgroup</c> or <c>matvec_lane</c>.</param>
/// <param name="MatVecThreads">Threads of a matrix-vector workgroup.</param>
/// <param name="MatVecRows">Rows that a subgroup, or a lane of it, holds in registers for one token.</param>
/// <param name="BatchRows">Rows that it holds for many tokens.</param>
/// <param name="BatchTokens">Tokens that it holds.</param>
/// <param name="Retention">The recurrent retention kernel: <c>retention_recurrent</c>, or <c>retention_recurrent_lane</c>.</param>
/// <param name="RetentionThreads">Threads of its workgroup.</param>
/// <param name="RetentionTileLanes">Threads of it along the value columns, four columns each.</param>
/// <param name="ChunkThreads">Threads of a workgroup of retention over many tokens.</param>
/// <param name="ChunkTileLanes">Threads of it along the value columns, four columns each.</param>
/// <param name="ChunkQueries">Queries that a thread of it holds.</param>
/// <param name="RowThreads">Threads that share a row, in kernels that take a row a workgroup.</param>
/// <param name="SampleThreads">Threads that sample a token.</param>
/// <param name="SampleLoads">Logits that each of them loads at once.</param>
internal readonly record struct Tuning(
    string MatVec, uint MatVecThreads, uint MatVecRows, uint BatchRows, uint BatchTokens,
    string Retention, uint RetentionThreads, uint RetentionTileLanes,
    uint ChunkThreads, uint ChunkTileLanes, uint ChunkQueries, uint RowThreads, uint SampleThreads, uint SampleLoads)
{
    /// <summary>Key rows of the state that a thread holds while it goes through the chunks.</summary>
    public const uint ChunkKeyRows = 8;

    /// <summary>
    /// On a processor a workgroup is one subgroup, which the driver runs as one vector, and loads are dear; a GPU wants
    /// many small workgroups in flight and contiguous loads.
    /// </summary>
    public static Tuning For(DeviceCapabilities capabilities)
    {
        var lanes = capabilities.SubgroupSize;
        var most = capabilities.WorkgroupInvocations >= 1024 ? 1024u : 256;
        return capabilities.Kind != DeviceKind.Cpu ? new("matvec_subgroup", 128, 1, 4, 8, "retention_recurrent", 256, 8, 256, 32, 4, 256, most, 8)
            : DeviceMatrix.InterleaveFor(capabilities) == 1 ? new("matvec_subgroup", lanes, 4, 4, 4, "retention_recurrent", lanes, lanes, 64, 64, 8, 32, lanes, 1)
            : new("matvec_lane", lanes, DeviceMatrix.LaneRows, DeviceMatrix.LaneRows, 4, "retention_recurrent_lane", lanes, lanes, 64, 64, 8, 32, lanes, 1);
    }

    /// <summary>
    /// The kernel that multiplies many tokens; null leaves them to the matrix-vector kernel, which a processor is faster with.
    /// </summary>
    /// <exception cref="GpuException">f16 is asked for of a device without matrix units.</exception>
    public static MatMulKind? ProductsOfMany(DeviceCapabilities capabilities, SequenceOptions options)
    {
        if (options.Products is { } asked)
            return asked;
        if (options.Precision == ProductPrecision.F32)
            return capabilities.Kind == DeviceKind.Cpu ? null : MatMulKind.Tile;
        return MatMulPlan.KindFor(capabilities, options.Precision)
            ?? throw new GpuException("products in f16 need matrix units, which this device does not have; ask for f32");
    }

    /// <summary>Slices of a workgroup of retention over many tokens: what remains of it beside the value columns.</summary>
    public uint ChunkSlices => ChunkThreads / ChunkTileLanes;

    /// <summary>Queries of such a workgroup.</summary>
    public int QueryTile => (int)(ChunkSlices * ChunkQueries);

    /// <summary>Rows and tokens that a matrix-vector subgroup holds at once; a gated unit holds rows of both halves.</summary>
    public (uint Rows, uint Tokens) Tile(ProductOutput output, bool oneToken)
    {
        var (rows, tokens) = oneToken ? (MatVecRows, 1) : (BatchRows, BatchTokens);
        return (output == ProductOutput.GatedUnit ? Math.Max(rows / 2, 1) : rows, tokens);
    }

    /// <summary>Rows that a matrix-vector workgroup takes at a time.</summary>
    public uint MatVecTile(uint subgroupSize, uint rowsAtOnce) =>
        MatVec == "matvec_lane" ? rowsAtOnce * MatVecThreads : rowsAtOnce * Math.Max(MatVecThreads / subgroupSize, 1);

    /// <summary>Tiles of a head's value columns.</summary>
    public int RetentionTiles(int valueVectors) => (valueVectors + (int)RetentionTileLanes - 1) / (int)RetentionTileLanes;
}
