using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes that change speed and not results, chosen from what the device is (docs/kernels.md).</summary>
/// <param name="MatVec">The matrix-vector kernel: <c>matvec_subgroup</c> or <c>matvec_lane</c>.</param>
/// <param name="MatVecThreads">Threads of a matrix-vector workgroup.</param>
/// <param name="MatVecRows">Rows that a subgroup, or a lane of it, holds in registers for one token.</param>
/// <param name="MatMul">The kernel of products of many tokens: the same, or <c>matmul_lane</c>.</param>
/// <param name="BatchRows">Rows that it holds for many tokens.</param>
/// <param name="BatchTokens">Tokens that it holds, where there are as many.</param>
/// <param name="Retention">The recurrent retention kernel: <c>retention_recurrent</c>, or <c>retention_recurrent_lane</c>.</param>
/// <param name="RetentionThreads">Threads of its workgroup.</param>
/// <param name="RetentionTileLanes">Threads of it along the value columns, four columns each.</param>
/// <param name="ChunkLanes">Retention over many tokens by <c>retention_chunk_*_lane</c>.</param>
/// <param name="ChunkThreads">Threads of a workgroup of retention over many tokens.</param>
/// <param name="ChunkTileVectors">Vectors of four value columns that a workgroup of it owns: one a thread, several a lane.</param>
/// <param name="ChunkQueries">Queries that a thread of it holds.</param>
/// <param name="ChunkKeyRows">Key rows of the state that a thread holds while it goes through the chunks.</param>
/// <param name="RowThreads">Threads that share a row, in kernels that take a row a workgroup.</param>
/// <param name="SampleThreads">Threads that sample a token.</param>
/// <param name="SampleLoads">Logits that each of them loads at once.</param>
internal readonly record struct Tuning(
    string MatVec, uint MatVecThreads, uint MatVecRows, string MatMul, uint BatchRows, uint BatchTokens,
    string Retention, uint RetentionThreads, uint RetentionTileLanes,
    bool ChunkLanes, uint ChunkThreads, uint ChunkTileVectors, uint ChunkQueries, uint ChunkKeyRows, uint RowThreads, uint SampleThreads, uint SampleLoads)
{
    /// <summary>
    /// On a processor a workgroup is one subgroup, which the driver runs as one vector, and loads are dear; a GPU wants
    /// many small workgroups in flight and contiguous loads.
    /// </summary>
    public static Tuning For(DeviceCapabilities capabilities)
    {
        var lanes = capabilities.SubgroupSize;
        var most = capabilities.WorkgroupInvocations >= 1024 ? 1024u : 256;
        return capabilities.Kind != DeviceKind.Cpu ? new("matvec_subgroup", 128, 1, "matvec_subgroup", 4, 8, "retention_recurrent", 256, 8, false, 256, 32, 4, 8, 256, most, 8)
            : DeviceMatrix.InterleaveFor(capabilities) == 1 ? new("matvec_subgroup", lanes, 4, "matvec_subgroup", 4, 4, "retention_recurrent", lanes, lanes, false, 64, 64, 8, 8, 32, lanes, 1)
            : new("matvec_lane", lanes, DeviceMatrix.LaneRows, "matmul_lane", DeviceMatrix.LaneRows, 12, "retention_recurrent_lane", lanes, lanes, true, lanes, 2 * lanes, 8, 2 * lanes, lanes, lanes, 1);
    }

    /// <summary>Slices of a workgroup of retention over many tokens: what remains of it beside the value columns.</summary>
    public uint ChunkSlices => Math.Max(ChunkThreads / ChunkTileVectors, 1);

    /// <summary>Queries of such a workgroup.</summary>
    public int QueryTile => (int)(ChunkSlices * ChunkQueries);

    /// <summary>Rows and tokens that a matrix-vector subgroup holds at once; a gated unit holds rows of both halves.</summary>
    /// <param name="output">What becomes of the product.</param>
    /// <param name="most">Tokens of a pass at most; of few, no more than these are held, in steps of four.</param>
    public (uint Rows, uint Tokens) Tile(ProductOutput output, int most)
    {
        var (rows, tokens) = most == 1 ? (MatVecRows, 1) : (BatchRows, Math.Min(BatchTokens, ((uint)most + 3) / 4 * 4));
        return (output == ProductOutput.GatedUnit ? Math.Max(rows / 2, 1) : rows, tokens);
    }

    /// <summary>Rows that a matrix-vector workgroup takes at a time.</summary>
    public uint MatVecTile(uint subgroupSize, uint rowsAtOnce) =>
        InterleavesRows ? rowsAtOnce * MatVecThreads : rowsAtOnce * Math.Max(MatVecThreads / subgroupSize, 1);

    /// <summary>Whether lanes own rows of a matrix.</summary>
    public bool InterleavesRows => MatVec == "matvec_lane";

    /// <summary>This, with a kernel for retention over many tokens that takes values of any size: by lanes they are loaded in pairs.</summary>
    public Tuning ForValues(int valueSize) => ChunkLanes && valueSize % 2 != 0
        ? this with { ChunkLanes = false, ChunkThreads = 64, ChunkTileVectors = 64, ChunkKeyRows = 8 }
        : this;

    /// <summary>Tiles of a head's value columns.</summary>
    public int RetentionTiles(int valueVectors) => (valueVectors + (int)RetentionTileLanes - 1) / (int)RetentionTileLanes;
}
