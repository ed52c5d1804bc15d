using System.Numerics;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes that change speed and not results, chosen from what the device is (docs/kernels.md).</summary>
/// <param name="MatVec">The product of one token: <c>matvec_stream</c>, <c>matvec_subgroup</c> or <c>matvec_lane</c>.</param>
/// <param name="MatMul">The product of many tokens by such a kernel: <c>matvec_subgroup</c> or <c>matmul_lane</c>.</param>
/// <param name="MatVecThreads">Threads of a matrix-vector workgroup.</param>
/// <param name="MatVecRows">Rows that a subgroup, or a lane of it, holds in registers for one token.</param>
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
    string MatVec, string MatMul, uint MatVecThreads, uint MatVecRows, uint BatchRows, uint BatchTokens,
    string Retention, uint RetentionThreads, uint RetentionTileLanes,
    bool ChunkLanes, uint ChunkThreads, uint ChunkTileVectors, uint ChunkQueries, uint ChunkKeyRows, uint RowThreads, uint SampleThreads, uint SampleLoads)
{
    /// <summary>The product of one token on a GPU.</summary>
    public const string Stream = "matvec_stream";

    /// <summary>Tokens that <see cref="FewTokens"/> takes at most.</summary>
    private const uint MostTokens = 8;

    /// <summary>Sums that a thread of <see cref="FewTokens"/> holds at most, one for each of its rows and tokens.</summary>
    private const uint MostSums = 32;

    /// <summary>The product of a few tokens, one of each sequence.</summary>
    public const string FewTokens = "matvec_tokens";

    /// <summary>The same on matrix units.</summary>
    public const string OnMatrices = "matvec_matrix";

    /// <summary>Tokens from which it is faster, and the shorter side of a matrix up to which it is: an H200 is slower with it at 4096.</summary>
    private const int LeastOnMatrices = 4, MostWidth = 2048;

    /// <summary>Rows of all halves that a subgroup of it takes at most.</summary>
    private const uint MostMatrixRows = 48;

    /// <summary>Subgroups of it that should be on a large device.</summary>
    private const uint EnoughSubgroups = 4 * ComputeUnits;

    /// <summary>Compute units of an H200, for want of a number that Vulkan tells.</summary>
    private const uint ComputeUnits = 132;

    /// <summary>Rows that a subgroup of it may hold, of all halves, and subgroups that may share them.</summary>
    private static readonly uint[] RowChoices = [4, 2, 1], PartChoices = [1, 2, 4];

    /// <summary>How much faster a unit reads its shared memory than device memory, or the cache that all units share.</summary>
    private const double SharedMemorySpeed = 4;

    /// <summary>Sequences from which the recurrent retention kernel takes wider tiles.</summary>
    private const int ManySequences = 8;

    /// <summary>Sequences up to which it pays that retention waits by itself: an H200 is slower at 64, whose projections are 75 MB to make missing first.</summary>
    private const int MostChained = 32;

    /// <summary>Turns of subgroups that a product by <c>matvec_stream</c> should have.</summary>
    private const uint LeastTiles = 2048;

    /// <summary>Bytes of shared memory that it wants beside its input: a sum a subgroup and a scale a head.</summary>
    private const uint StreamReserve = 1024;

    /// <summary>What of a step with so many sequences may be a chain.</summary>
    public ChainScope Chain(int sequences) =>
        MatVec != Stream || sequences > MostChained ? ChainScope.None : FusesNorms(sequences) ? ChainScope.Step : ChainScope.Retention;

    /// <summary>Whether matrix-vector products of a pass of so many tokens normalise their inputs: in f32, without dispatches for norms.</summary>
    public bool FusesNorms(int tokens) => tokens == 1 || (MatVec == Stream && tokens <= MostTokens);

    /// <summary>
    /// On a processor a workgroup is one subgroup, which the driver runs as one vector, and loads are dear; a GPU wants
    /// many small workgroups in flight and contiguous loads.
    /// </summary>
    public static Tuning For(DeviceCapabilities capabilities)
    {
        var lanes = capabilities.SubgroupSize;
        var most = capabilities.WorkgroupInvocations >= 1024 ? 1024u : 256;
        return capabilities.Kind != DeviceKind.Cpu ? new(Stream, "matvec_subgroup", 128, 1, 4, 8, "retention_recurrent", 256, 8, false, 256, 32, 4, 8, 256, most, 8)
            : DeviceMatrix.InterleaveFor(capabilities) == 1 ? new("matvec_subgroup", "matvec_subgroup", lanes, 4, 4, 4, "retention_recurrent", lanes, lanes, false, 64, 64, 8, 8, 32, lanes, 1)
            : new("matvec_lane", "matmul_lane", lanes, DeviceMatrix.LaneRows, DeviceMatrix.LaneRows, 16, "retention_recurrent_lane", lanes, lanes, true, lanes, 2 * lanes, 16, 2 * lanes, lanes, lanes, 1);
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

    /// <summary>
    /// How one token of each of several sequences is multiplied: up to eight exactly, by a matrix-vector kernel; more on matrix units with
    /// inputs in f16 where the device has them and the weights are not f32 either.
    /// </summary>
    public static (MatMulKind? Kernel, ProductPrecision Precision) ProductsOfSequences(RetNetModel model, int sequences)
    {
        var capabilities = model.Device.Capabilities;
        if (sequences <= MostTokens || capabilities.Kind == DeviceKind.Cpu)
            return (null, ProductPrecision.F32);
        return model.WeightType != GgmlType.F32 && ShaderLibrary.Has("matmul_coopmat_f16") && MatMulPlan.Candidates(capabilities, MatMulKind.SubgroupMatrix, 2).Any()
            ? (MatMulKind.SubgroupMatrix, ProductPrecision.F16)
            : (MatMulKind.Tile, ProductPrecision.F32);
    }

    /// <summary>Slices of a workgroup of retention over many tokens: what remains of it beside the value columns.</summary>
    public uint ChunkSlices => Math.Max(ChunkThreads / ChunkTileVectors, 1);

    /// <summary>Queries of such a workgroup.</summary>
    public int QueryTile => (int)(ChunkSlices * ChunkQueries);

    /// <summary>How a product is cut up. A gated unit takes rows of both halves at once.</summary>
    /// <param name="capabilities">The device.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="output">What becomes of the product.</param>
    /// <param name="most">Tokens of a pass at most; of few, no more than these are held, in steps of four.</param>
    public ProductTile ProductTile(DeviceCapabilities capabilities, DeviceMatrix matrix, ProductOutput output, int most)
    {
        var halves = output == ProductOutput.GatedUnit ? 2u : 1;
        if (most == 1 && MatVec == Stream && StreamTile(capabilities, matrix, halves) is { } stream)
            return stream;
        if (most > 1 && FusesNorms(most))
            return MultipliesOnMatrices(capabilities, matrix, most) && MatrixTile(capabilities, matrix, halves) is { } tile ? tile : FewTokensTile(capabilities, matrix, halves, (uint)most);
        var kernel = most == 1 && MatVec != Stream ? MatVec : MatMul;
        var (atOnce, tokens) = most == 1 ? (MatVecRows, 1) : (BatchRows, Math.Min(BatchTokens, ((uint)most + 3) / 4 * 4));
        var rows = Math.Max(atOnce / halves, 1);
        var workgroupRows = rows * (InterleavesRows ? MatVecThreads : Math.Max(MatVecThreads / capabilities.SubgroupSize, 1));
        return new(kernel, MatVecThreads, rows, tokens, workgroupRows, capabilities.WorkgroupCount);
    }

    /// <summary>
    /// A lane holds some quads, of one long row or of several short ones, which share the loads of inputs; but there have to be enough
    /// subgroups to fill a large GPU. Vulkan does not tell how many workgroups that holds; these are an H200's. Wide types have most to
    /// load and take the largest workgroups, which stage their input least often; the others unpack more and want registers. Null where
    /// shared memory does not hold the input, whole chunks of it and little else.
    /// </summary>
    private static ProductTile? StreamTile(DeviceCapabilities capabilities, DeviceMatrix matrix, uint halves)
    {
        var (threads, most, workgroups) = DeviceMatrix.RunLength(matrix.Type) switch
        {
            <= 8 => (1024u, 4u, 132u),
            16 => (512u, 8u, 132u),
            _ => (256u, 8u, 264u),
        };
        threads = Math.Min(threads, capabilities.WorkgroupInvocations);
        var rows = (uint)matrix.Rows / halves;
        var quads = ((uint)matrix.Runs + capabilities.SubgroupSize - 1) / capabilities.SubgroupSize;
        var chunks = (quads * halves + most - 1) / most;
        var held = (quads + chunks - 1) / chunks;
        if (chunks * held * capabilities.SubgroupSize * (uint)DeviceMatrix.RunLength(matrix.Type) * sizeof(float) + StreamReserve > capabilities.SharedMemoryBytes)
            return null;
        var atOnce = 1u;
        while (atOnce * 2 * halves * held <= most && rows / (atOnce * 2) >= LeastTiles)
            atOnce *= 2;
        return new ProductTile(Stream, threads, atOnce, 1, atOnce * threads / capabilities.SubgroupSize, workgroups, (uint)matrix.Runs, held);
    }

    /// <summary>
    /// Whether a few tokens are multiplied on matrix units, which hold weights of f16 exactly and no others, and of which two or three tokens leave
    /// most without work. Of wide ones <see cref="FewTokens"/> makes more.
    /// </summary>
    private static bool MultipliesOnMatrices(DeviceCapabilities capabilities, DeviceMatrix matrix, int tokens) =>
        matrix.Type == GgmlType.F16 && tokens >= LeastOnMatrices && Math.Min(matrix.Rows, matrix.Columns) <= MostWidth && MatMulPlan.Shape(capabilities) is not null && ShaderLibrary.Has(OnMatrices + "_f16");

    /// <summary>Rows enough a subgroup to share the inputs that it loads, and subgroups enough to keep memory busy; null where no tile fits the device.</summary>
    private static ProductTile? MatrixTile(DeviceCapabilities capabilities, DeviceMatrix matrix, uint halves)
    {
        var tiles = MatrixTiles(capabilities, halves).ToArray();
        if (tiles.Length == 0)
            return null;
        var busy = tiles.Where(tile => Subgroups(tile) >= EnoughSubgroups).ToArray();
        return busy.Length > 0 ? busy.OrderByDescending(tile => tile.Depth).ThenByDescending(tile => tile.Rows).ThenByDescending(tile => tile.Parts).First() : tiles.MaxBy(Subgroups);

        uint Subgroups(ProductTile tile) => ((uint)matrix.Rows / halves + tile.Rows - 1) / tile.Rows * tile.Parts;
    }

    /// <summary>Tiles of <c>matvec_matrix</c> that a device can run.</summary>
    private static IEnumerable<ProductTile> MatrixTiles(DeviceCapabilities capabilities, uint halves)
    {
        if (MatMulPlan.Shape(capabilities) is not { } shape)
            return [];
        return
            from depth in (uint[])[64, 32]
            from rows in (uint[])[48, 32, 24, 16, 8]
            where rows * halves % shape.N == 0 && rows * halves <= MostMatrixRows
            from parts in (uint[])[1, 2, 3, 4, 5, 6, 8]
            let subgroups = Math.Max(4 / parts, 1) * parts
            where FitsMatrices(capabilities, subgroups, halves * rows, depth)
            select new ProductTile(OnMatrices, subgroups * capabilities.SubgroupSize, rows, MostTokens, subgroups / parts * rows, uint.MaxValue, Parts: parts, Depth: depth);
    }

    /// <summary>Whether a device can run a workgroup of <c>matvec_matrix</c>, so many rows of all halves a subgroup.</summary>
    public static bool FitsMatrices(DeviceCapabilities capabilities, uint subgroups, uint rows, uint depth)
    {
        var bytes = subgroups * (((2 * MostTokens) + rows) * (depth / 8 + 1) * 16 + (MostTokens * depth / 8 * sizeof(float)));
        return bytes + StreamReserve <= capabilities.SharedMemoryBytes && subgroups * capabilities.SubgroupSize <= capabilities.WorkgroupInvocations;
    }

    /// <summary>
    /// Rows that a workgroup has more of stage inputs less often, and rows that a subgroup has more of read them from shared memory
    /// less often; but units without work do nothing. The best tile leaves the busiest unit the fewest bytes to read.
    /// </summary>
    private static ProductTile FewTokensTile(DeviceCapabilities capabilities, DeviceMatrix matrix, uint halves, uint tokens)
    {
        var lanes = capabilities.SubgroupSize;
        var most = Math.Min(512, capabilities.WorkgroupInvocations);
        var atOnce = Math.Min(BitOperations.RoundUpToPowerOf2(tokens), most / lanes);
        while (atOnce > 1 && StagedChunks(capabilities, matrix.Type, most, atOnce) == 0)
            atOnce /= 2;
        var rows = (uint)matrix.Rows / halves;
        var candidates =
            from threads in (uint[])[most, most / 2]
            let subgroups = threads / lanes
            let chunks = StagedChunks(capabilities, matrix.Type, threads, atOnce)
            where subgroups >= atOnce
            from held in RowChoices
            where held * halves * atOnce <= MostSums
            from parts in PartChoices
            where parts <= subgroups && parts <= chunks
            select new ProductTile(FewTokens, threads, held, atOnce, subgroups / parts * held, uint.MaxValue, Staged: chunks / parts * parts, Parts: parts);
        return candidates.MinBy(BusiestUnitBytes);

        double BusiestUnitBytes(ProductTile tile)
        {
            var workgroups = (rows + tile.WorkgroupRows - 1) / tile.WorkgroupRows;
            var turns = (workgroups + ComputeUnits - 1) / ComputeUnits;
            var weights = (double)matrix.Bytes / matrix.Rows * halves * tile.WorkgroupRows;
            var inputs = (double)matrix.Columns * atOnce * sizeof(float);
            return turns * (weights + inputs + (inputs * tile.WorkgroupRows / tile.Rows / SharedMemorySpeed));
        }
    }

    /// <summary>
    /// Chunks of quads, one a lane, whose inputs <c>matvec_tokens</c> has in shared memory at once: as many as its threads can ask for
    /// with four loads each; 0 where there is no room for one.
    /// </summary>
    public static uint StagedChunks(DeviceCapabilities capabilities, GgmlType type, uint threads, uint tokens)
    {
        var chunk = (uint)DeviceMatrix.RunLength(type) * capabilities.SubgroupSize * tokens * sizeof(float);
        var taken = 4096 + (MostSums * sizeof(float) * threads / capabilities.SubgroupSize);
        var room = capabilities.SharedMemoryBytes > taken ? capabilities.SharedMemoryBytes - taken : 0;
        return chunk > room ? 0 : Math.Max(Math.Min(room, threads * 4 * 16) / chunk, 1);
    }

    /// <summary>Whether lanes own rows of a matrix.</summary>
    public bool InterleavesRows => MatVec == "matvec_lane";

    /// <summary>This, with a kernel for retention over many tokens that takes values of any size: by lanes they are loaded in pairs.</summary>
    public Tuning ForValues(int valueSize) => ChunkLanes && valueSize % 2 != 0
        ? this with { ChunkLanes = false, ChunkThreads = 64, ChunkTileVectors = 64, ChunkKeyRows = 8 }
        : this;

    /// <summary>Tiles of a head's value columns.</summary>
    public int RetentionTiles(int valueVectors, int sequences) => (valueVectors + (int)RetentionLanes(sequences) - 1) / (int)RetentionLanes(sequences);

    /// <summary>Threads of a workgroup of recurrent retention along the value columns; more for many sequences, whose workgroups fill a GPU.</summary>
    public uint RetentionLanes(int sequences) => MatVec == Stream && sequences >= ManySequences ? 2 * RetentionTileLanes : RetentionTileLanes;
}
