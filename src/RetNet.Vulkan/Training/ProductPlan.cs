using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Training;

/// <summary>How a training product is cut into workgroups (shaders/include/product.glsl).</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Threads">Threads of a workgroup.</param>
/// <param name="TileM">Rows of C of a workgroup.</param>
/// <param name="TileN">Columns of C of a workgroup.</param>
/// <param name="Depth">What it takes at a time of what is summed over.</param>
/// <param name="ThreadM">Rows of C of a thread of <c>product_tile</c>.</param>
/// <param name="ThreadN">Columns of C of such a thread.</param>
/// <param name="Parts">Workgroups that share the depth of a tile.</param>
/// <param name="Band">Tiles along the rows of C that are walked for each tile along its columns.</param>
internal readonly record struct ProductPlan(ProductKernel Kernel, uint Threads, uint TileM, uint TileN, uint Depth, uint ThreadM = 4, uint ThreadN = 4, uint Parts = 1, uint Band = 8)
{
    /// <summary>Subgroups along the rows of a tile of <c>product_coopmat</c>.</summary>
    public uint WavesM { get; init; } = 1;

    /// <summary>Bytes of partial sums that a divided product may have.</summary>
    public const int PartialBytes = 64 << 20;

    /// <summary>Workgroups that fill a large device once. Vulkan does not tell how many run at a time; an H200 has 132 units.</summary>
    private const uint Enough = 132;

    private const uint MostParts = 16;

    private static readonly ProductPlan[] Tiles =
    [
        new(ProductKernel.Tile, 256, 128, 128, 16, 8, 8), new(ProductKernel.Tile, 256, 64, 64, 16), new(ProductKernel.Tile, 64, 32, 32, 16),
    ];

    /// <summary>Rows, columns, depth, subgroups and those of them along the rows.</summary>
    private static readonly (uint M, uint N, uint Depth, uint Subgroups, uint WavesM)[] MatrixTiles = [(256, 128, 32, 8, 4), (128, 128, 32, 8, 2), (128, 64, 32, 4, 2), (64, 64, 32, 4, 2)];

    /// <summary>A processor's driver takes minutes to build a GPU's tile of matrices.</summary>
    private static readonly (uint M, uint N, uint Depth, uint Subgroups, uint WavesM)[] ProcessorTiles = [(32, 32, 16, 4, 2)];

    /// <summary>All plans of a kernel that a device can run, undivided, the largest tiles first.</summary>
    public static IReadOnlyList<ProductPlan> Candidates(DeviceCapabilities capabilities, ProductKernel kernel) => kernel switch
    {
        ProductKernel.Lane => [new(kernel, capabilities.SubgroupSize, 12, 4 * capabilities.SubgroupSize, 8)],
        ProductKernel.Matrix =>
        [
            .. from tile in capabilities.Kind == DeviceKind.Cpu ? ProcessorTiles : MatrixTiles
               let plan = new ProductPlan(kernel, tile.Subgroups * capabilities.SubgroupSize, tile.M, tile.N, tile.Depth) { WavesM = tile.WavesM }
               where plan.FitsMatrices(capabilities)
               select plan,
        ],
        // A processor's driver takes seconds to build the largest.
        _ => capabilities.Kind == DeviceKind.Cpu ? Tiles[1..] : Tiles,
    };

    /// <summary>The plan for a product: what should be fastest; where there are too few tiles of it, what is summed over is divided.</summary>
    public static ProductPlan Choose(DeviceCapabilities capabilities, ProductKernel kernel, in TrainingProduct product)
    {
        var (m, n, k) = ((uint)product.M, (uint)product.N, (uint)product.K);
        var candidates = Candidates(capabilities, kernel);
        return (capabilities.Kind == DeviceKind.Cpu ? candidates : candidates.Select(plan => plan.Divide(m, n, k))).MaxBy(plan => plan.Speed(capabilities, m, n));
    }

    /// <summary>Depth of a part, whole turns of a workgroup.</summary>
    public uint SplitDepth(uint k) => Up(Up(k, Parts), Depth) * Depth;

    private static uint Up(uint value, uint divisor) => (value + divisor - 1) / divisor;

    private uint Count(uint m, uint n) => Up(m, TileM) * Up(n, TileN);

    /// <summary>
    /// What a plan reaches beside others: larger tiles load less for each product, but what they hold beyond C is computed for nothing, and the last
    /// workgroups may leave most of a large device idle.
    /// </summary>
    private double Speed(DeviceCapabilities capabilities, uint m, uint n)
    {
        var used = (double)m * n / ((double)Count(m, n) * TileM * TileN);
        var workgroups = Count(m, n) * Parts;
        var busy = capabilities.Kind == DeviceKind.Cpu ? 1 : (double)workgroups / (Up(workgroups, Enough) * Enough);
        return used * busy * Math.Sqrt((double)TileM * TileN / (TileM + TileN));
    }

    private ProductPlan Divide(uint m, uint n, uint k)
    {
        var tiles = Count(m, n);
        if (tiles >= Enough)
            return this;
        var most = Math.Min(MostParts, PartialBytes / sizeof(float) / ((ulong)m * Up(n, 4) * 4));
        // A part of fewer turns would be all beginning and end.
        var parts = Math.Min(Enough / tiles, k / (16 * Depth));
        var divided = this with { Parts = (uint)Math.Clamp(parts, 1, Math.Max(most, 1)) };
        return divided with { Parts = Up(k, divided.SplitDepth(k)) };
    }

    private bool FitsMatrices(DeviceCapabilities capabilities)
    {
        if (MatMulPlan.Shape(capabilities) is not { M: 8 or 16, N: 8 or 16 } shape || Threads > capabilities.WorkgroupInvocations)
            return false;
        var subgroups = Threads / capabilities.SubgroupSize;
        // Tiles of f16, each row a piece longer, whichever way they lie; and a matrix of each subgroup on its way out.
        var bytes = 2 * (TileM * (Depth + 8) + TileN * (Depth + 8)) + subgroups * shape.M * shape.N * sizeof(float);
        return TileM % (WavesM * shape.M) == 0 && TileN % (subgroups / WavesM * shape.N) == 0 && Depth % shape.K == 0 && bytes <= capabilities.SharedMemoryBytes;
    }
}
