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
    /// <summary>Bytes of partial sums that a divided product may have.</summary>
    public const int PartialBytes = 64 << 20;

    /// <summary>Workgroups that fill a large device once. Vulkan does not tell how many run at a time; an H200 has 132 units.</summary>
    private const uint Enough = 132;

    private const uint MostParts = 16;

    private static readonly ProductPlan[] Tiles =
    [
        new(ProductKernel.Tile, 256, 128, 128, 16, 8, 8), new(ProductKernel.Tile, 256, 64, 64, 16), new(ProductKernel.Tile, 64, 32, 32, 16),
    ];

    /// <summary>All plans of a kernel that a device can run, undivided, the largest tiles first.</summary>
    public static IReadOnlyList<ProductPlan> Candidates(DeviceCapabilities capabilities, ProductKernel kernel) => kernel switch
    {
        ProductKernel.Lane => [new(kernel, capabilities.SubgroupSize, 12, 4 * capabilities.SubgroupSize, 8)],
        // A processor's driver takes seconds to build the largest.
        _ => capabilities.Kind == DeviceKind.Cpu ? Tiles[1..] : Tiles,
    };

    /// <summary>The plan for a product: the tile that should be fastest; where there are too few of it, what is summed over is divided.</summary>
    public static ProductPlan Choose(DeviceCapabilities capabilities, ProductKernel kernel, in TrainingProduct product)
    {
        var (m, n, k) = ((uint)product.M, (uint)product.N, (uint)product.K);
        var chosen = Candidates(capabilities, kernel).MaxBy(plan => plan.Speed(m, n));
        return capabilities.Kind == DeviceKind.Cpu ? chosen : chosen.Divide(m, n, k);
    }

    /// <summary>Depth of a part, whole turns of a workgroup.</summary>
    public uint SplitDepth(uint k) => Up(Up(k, Parts), Depth) * Depth;

    private static uint Up(uint value, uint divisor) => (value + divisor - 1) / divisor;

    private uint Count(uint m, uint n) => Up(m, TileM) * Up(n, TileN);

    /// <summary>
    /// What a plan reaches beside others: larger tiles load less for each product, but what they hold beyond C is computed for nothing.
    /// </summary>
    private double Speed(uint m, uint n) => (double)m * n / ((double)Count(m, n) * TileM * TileN) * Math.Sqrt((double)TileM * TileN / (TileM + TileN));

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
}
