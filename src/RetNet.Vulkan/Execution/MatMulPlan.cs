using System.Numerics;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>How a product of many tokens is cut into workgroups (shaders/include/matmul.glsl).</summary>
/// <param name="Kind">The kernel.</param>
/// <param name="Threads">Threads of a workgroup.</param>
/// <param name="TileTokens">Tokens of a workgroup.</param>
/// <param name="TileRows">Rows of a workgroup, those of both halves of a gated unit together.</param>
/// <param name="Depth">Columns that it takes at a time.</param>
/// <param name="Parts">Workgroups that share the columns of a tile.</param>
/// <param name="Unroll">Turns of <c>matmul_coopmat2</c> that are unrolled.</param>
/// <param name="Band">Tiles of tokens that are walked for each tile of rows.</param>
internal readonly record struct MatMulPlan(
    MatMulKind Kind, uint Threads, uint TileTokens, uint TileRows, uint Depth, uint Parts = 1, uint Unroll = 8, uint Band = 16)
{
    /// <summary>Bytes of partial sums that a divided product may have.</summary>
    public const int PartialBytes = 16 << 20;

    /// <summary>Rows that a thread of <c>matmul_tile</c> holds.</summary>
    public const uint ThreadRows = 4;

    /// <summary>Workgroups that fill a large device once. Vulkan does not tell how many run at a time.</summary>
    private const uint Enough = 128;

    private const uint MostParts = 16;

    private const uint OddRows = 192;

    /// <summary>
    /// Bytes that the workgroups of a product of few tokens should ask for at a time, all together: what a large device takes in while a load is under way.
    /// </summary>
    private const uint EnoughBytes = 3_200_000;

    /// <summary>From here on a tile is shared by enough tokens: more of them only save reading weights again from the cache.</summary>
    public const uint ManyTokens = 64;

    /// <summary>
    /// Tokens, rows, columns at a time and subgroups of 32, the largest first, and the TFLOP/s of an H200 of whose units all have such a tile: in a product,
    /// and in a gated unit's.
    /// </summary>
    private static readonly (uint Tokens, uint Rows, uint Depth, uint Subgroups, double Speed, double GatedSpeed)[] WorkgroupTiles =
    [
        (128, 256, 64, 8, 250, 287), (128, OddRows, 64, 8, 295, 180), (128, 128, 64, 8, 247, 187), (64, 128, 64, 8, 160, 185), (64, 128, 64, 4, 150, 193), (64, 64, 64, 4, 83, 83),
    ];

    /// <summary>Tokens, rows, columns at a time and subgroups, the largest first; those of up to 64 tokens are for batches that decode.</summary>
    private static readonly (uint Tokens, uint Rows, uint Depth, uint Subgroups)[] SubgroupTiles =
    [
        (256, 128, 32, 8), (128, 128, 32, 4), (64, 128, 32, 8), (64, 64, 128, 8), (64, 64, 64, 4), (64, 64, 32, 4), (64, 64, 32, 2),
        (32, 96, 128, 6), (32, 32, 128, 4), (32, 64, 64, 4), (32, 64, 32, 2), (16, 64, 128, 2), (16, 32, 128, 2), (16, 64, 64, 2), (16, 64, 32, 1),
    ];

    /// <summary>A processor's driver takes minutes to build a GPU's tile of matrices.</summary>
    private static readonly (uint Tokens, uint Rows, uint Depth, uint Subgroups)[] ProcessorTiles = [(32, 32, 16, 2)];

    private static readonly (uint Tokens, uint Rows, uint Depth, uint Threads)[] PlainTiles =
    [
        (128, 64, 32, 256), (64, 64, 32, 256), (64, 64, 32, 128), (32, 64, 32, 128), (32, 64, 32, 64), (16, 64, 32, 64), (16, 64, 32, 32),
    ];

    /// <summary>The best kernel for a precision that a device and this build have; null where there is none for f16.</summary>
    public static MatMulKind? KindFor(DeviceCapabilities capabilities, ProductPrecision precision) => precision switch
    {
        ProductPrecision.F32 => MatMulKind.Tile,
        _ when capabilities.WorkgroupMatrices is { PerElementOperations: true } && ShaderLibrary.Has("matmul_coopmat2_f16") && Candidates(capabilities, MatMulKind.WorkgroupMatrix, 1).Any() => MatMulKind.WorkgroupMatrix,
        _ when ShaderLibrary.Has("matmul_coopmat_f16") && Candidates(capabilities, MatMulKind.SubgroupMatrix, 1).Any() => MatMulKind.SubgroupMatrix,
        _ => null,
    };

    /// <summary>All plans that a device can run, undivided, the largest tiles first.</summary>
    /// <param name="capabilities">The device.</param>
    /// <param name="kind">The kernel.</param>
    /// <param name="halves">2 for a gated unit, else 1.</param>
    public static IEnumerable<MatMulPlan> Candidates(DeviceCapabilities capabilities, MatMulKind kind, uint halves) => kind switch
    {
        MatMulKind.Tile => PlainTiles.Select(tile => new MatMulPlan(kind, tile.Threads, tile.Tokens, tile.Rows, tile.Depth)).Where(plan => plan.FitsThreads(halves)),
        MatMulKind.SubgroupMatrix => (capabilities.Kind == DeviceKind.Cpu ? ProcessorTiles : SubgroupTiles).Select(tile => new MatMulPlan(kind, tile.Subgroups * capabilities.SubgroupSize, tile.Tokens, tile.Rows, tile.Depth))
            .Where(plan => plan.FitsSubgroups(capabilities, halves)),
        _ => WorkgroupTiles.Select(tile => new MatMulPlan(kind, tile.Subgroups * 32, tile.Tokens, tile.Rows, tile.Depth)).Where(plan => plan.FitsWorkgroup(capabilities, halves)),
    };

    /// <summary>
    /// The plan for a product: of few tokens, the smallest tile that holds them; of many, what should be fastest. Where there are too few tiles, the columns
    /// are divided, but not those of matrices of a workgroup, of which few tokens take a subgroup's.
    /// </summary>
    /// <param name="capabilities">The device.</param>
    /// <param name="kind">The kernel.</param>
    /// <param name="halves">2 for a gated unit, else 1.</param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="rows">Rows of the result.</param>
    /// <param name="columns">Columns, padding included.</param>
    public static MatMulPlan Choose(DeviceCapabilities capabilities, MatMulKind kind, uint halves, uint tokens, uint rows, uint columns)
    {
        if (kind == MatMulKind.WorkgroupMatrix && tokens <= ManyTokens)
            kind = MatMulKind.SubgroupMatrix;
        var wanted = Math.Max(BitOperations.RoundUpToPowerOf2(tokens), 16);
        var plans = Candidates(capabilities, kind, halves).Where(plan => columns % plan.Depth == 0).ToArray();
        var least = Math.Min(Math.Min(wanted, ManyTokens), plans.Max(plan => plan.TileTokens));
        least = plans.Where(plan => plan.TileTokens >= least).Min(plan => plan.TileTokens);
        if (tokens <= ManyTokens)
            return ChooseForFew([.. plans.Where(plan => plan.TileTokens == least)], halves, tokens, rows, columns);
        var chosen = plans.Where(plan => plan.TileTokens >= least && plan.TileTokens <= Math.Max(wanted, least)).MaxBy(plan => plan.Speed(halves, tokens, rows));
        return kind == MatMulKind.WorkgroupMatrix ? chosen : chosen.Divide(Up(Enough, chosen.Tiles(halves, tokens, rows)), halves, tokens, rows, columns);
    }

    /// <summary>
    /// Few tokens leave weights to load and little else. Of the deepest tiles, which ask for most at a time, the widest, which loads inputs least often,
    /// of which there are enough; else the narrowest with its columns divided.
    /// </summary>
    private static MatMulPlan ChooseForFew(MatMulPlan[] plans, uint halves, uint tokens, uint rows, uint columns)
    {
        var deepest = plans.Where(plan => plan.Depth == plans.Max(other => other.Depth)).OrderByDescending(plan => plan.TileRows).ToArray();
        return deepest.Where(plan => Bytes(plan) >= EnoughBytes).Cast<MatMulPlan?>().FirstOrDefault() ?? deepest[^1].Divide(Up(EnoughBytes, Bytes(deepest[^1])), halves, tokens, rows, columns);

        uint Bytes(MatMulPlan plan) => plan.Tiles(halves, tokens, rows) * (plan.TileTokens + plan.TileRows) * plan.Depth * (plan.Kind == MatMulKind.Tile ? sizeof(float) : 2u);
    }

    /// <summary>Rows of Y that a workgroup takes.</summary>
    public uint HalfRows(uint halves) => TileRows / halves;

    /// <summary>Columns of a part, whole turns of a workgroup.</summary>
    public uint SplitColumns(uint columns) => Up(Up(columns, Parts), Depth) * Depth;

    /// <summary>Subgroups along the tokens of a tile of <c>matmul_coopmat</c>.</summary>
    public uint WavesTokens(DeviceCapabilities capabilities, MatrixShape shape) =>
        Math.Min(Threads / capabilities.SubgroupSize, TileTokens >= 2 * shape.M && Threads / capabilities.SubgroupSize > 1 ? 2u : 1);

    /// <summary>The shape of matrices that <c>matmul_coopmat</c> takes: the largest of up to 16 a side; null where the device has none.</summary>
    public static MatrixShape? Shape(DeviceCapabilities capabilities)
    {
        var shapes = capabilities.MatrixShapes.Where(shape => shape is { M: <= 16, N: <= 16, K: <= 16 and >= 8 }).ToArray();
        return shapes.Length == 0 ? null : shapes.MaxBy(shape => shape.M * shape.N * shape.K);
    }

    /// <summary>The same of a device that must have matrix units.</summary>
    /// <exception cref="GpuException">It has none.</exception>
    public static MatrixShape RequiredShape(GpuDevice device) =>
        Shape(device.Capabilities) ?? throw new GpuException($"{device.Gpu.Name} has no matrix units.");

    private static uint Up(uint value, uint divisor) => (value + divisor - 1) / divisor;

    private uint Tiles(uint halves, uint tokens, uint rows) => Up(tokens, TileTokens) * Up(rows, HalfRows(halves));

    /// <summary>
    /// What a plan reaches beside others: larger tiles share more of what they load, but the last tiles of a product may leave
    /// most of the device idle.
    /// </summary>
    private double Speed(uint halves, uint tokens, uint rows)
    {
        var tiles = Tiles(halves, tokens, rows);
        var share = (double)tiles / (Up(tiles, Enough) * Enough);
        if (Kind != MatMulKind.WorkgroupMatrix)
            return share * Math.Sqrt((double)TileTokens * TileRows / (TileTokens + TileRows));
        // Most widths are multiples of powers of two and not of this. A tile at the edge takes so long that the others wait for it.
        if (TileRows == OddRows && rows % HalfRows(halves) != 0)
            return 0;
        var plan = this;
        var measured = WorkgroupTiles.First(tile => (tile.Tokens, tile.Rows, 32 * tile.Subgroups) == (plan.TileTokens, plan.TileRows, plan.Threads));
        return share * (halves == 2 ? measured.GatedSpeed : measured.Speed);
    }

    /// <summary>This, its columns divided into so many parts, or as many as the memory for their sums and the columns allow.</summary>
    private MatMulPlan Divide(uint parts, uint halves, uint tokens, uint rows, uint columns)
    {
        var most = Math.Min(Math.Min(MostParts, columns / (2 * Depth)), PartialBytes / sizeof(float) / (tokens * Up(rows, 4) * 4 * halves));
        var divided = this with { Parts = Math.Clamp(parts, 1, Math.Max(most, 1)) };
        return divided with { Parts = Up(columns, divided.SplitColumns(columns)) };
    }

    /// <summary>A thread of matmul_tile holds 4 rows and a multiple of 4 tokens.</summary>
    private bool FitsThreads(uint halves) => TileTokens * HalfRows(halves) % (16 * Threads) == 0 && TileTokens * HalfRows(halves) / Threads is 16 or 32;

    public bool FitsSubgroups(DeviceCapabilities capabilities, uint halves)
    {
        if (Shape(capabilities) is not { } shape || Threads > capabilities.WorkgroupInvocations)
            return false;
        var wavesTokens = WavesTokens(capabilities, shape);
        var wavesRows = Threads / capabilities.SubgroupSize / wavesTokens;
        var bytes = (TileTokens + TileRows) * (Depth / 8 + 1) * 16 + Threads / capabilities.SubgroupSize * shape.M * shape.N * sizeof(float);
        if (TileTokens <= ManyTokens)
            bytes += (TileTokens * TileRows / 4 + TileTokens + Math.Max(Threads, TileTokens)) * sizeof(float);
        return TileTokens % (wavesTokens * shape.M) == 0 && HalfRows(halves) % (wavesRows * shape.N) == 0 && Depth % shape.K == 0
            && bytes <= capabilities.SharedMemoryBytes;
    }

    public bool FitsWorkgroup(DeviceCapabilities capabilities, uint halves)
    {
        var plan = this;
        return capabilities.WorkgroupMatrices is { } matrices && Threads <= matrices.MaxInvocations
            && matrices.Granularities.Any(size => size.Invocations == plan.Threads
                && plan.TileTokens % size.M == 0 && plan.HalfRows(halves) % size.N == 0 && plan.Depth % size.K == 0);
    }
}
