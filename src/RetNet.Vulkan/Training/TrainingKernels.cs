using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>The kernels of products, loss and optimiser: which variant, and the values of its specialization constants.</summary>
internal static class TrainingKernels
{
    public static Kernel<ProductArguments> Product(GpuDevice device, ProductPlan plan, ProductForm form, bool biased)
    {
        ReadOnlySpan<uint> shared = [plan.Threads, (uint)form, plan.TileM, plan.TileN, plan.Depth, Constant.Of(plan.Parts > 1), Constant.Of(biased), plan.Band];
        switch (plan.Kernel)
        {
            case ProductKernel.Tile:
                return new(device, Variant(plan.Kernel), [.. shared, plan.ThreadM, plan.ThreadN]);
            case ProductKernel.Lane:
                return new(device, Variant(plan.Kernel), [.. shared, plan.Threads]);
            default:
                var capabilities = device.Capabilities;
                var shape = MatMulPlan.Shape(capabilities) ?? throw new GpuException($"{device.Gpu.Name} has no matrix units.");
                return new(device, Variant(plan.Kernel), KernelFactory.WholeSubgroups(capabilities), [.. shared, capabilities.SubgroupSize, plan.WavesM, shape.M, shape.N, shape.K]);
        }
    }

    /// <summary>The second half of a divided product.</summary>
    public static Kernel<ProductSumArguments> ProductSum(GpuDevice device, uint threads, bool keeps, bool biased) => new(
        device, "product_sum", threads, Constant.Of(keeps), Constant.Of(biased));

    /// <summary>What there is to compile on a device: products in every form and tile, and the rest.</summary>
    public static IEnumerable<(string Variant, string Use, Func<Kernel> Build)> All(GpuDevice device)
    {
        foreach (var kind in Enum.GetValues<ProductKernel>())
            foreach (var plan in ProductPlan.Candidates(device.Capabilities, kind))
                foreach (var form in Enum.GetValues<ProductForm>())
                    yield return (Variant(kind), $"{form}, {plan.TileM} × {plan.TileN} × {plan.Depth}", () => Product(device, plan, form, biased: false));
        yield return ("product_sum", "", () => ProductSum(device, TrainingProducts.SumThreads, keeps: true, biased: true));
        var threads = Tuning.For(device.Capabilities).RowThreads;
        yield return ("cross_entropy", "with its gradient", () => new Kernel<CrossEntropyArguments>(device, "cross_entropy", threads, Constant.Of(true)));
        yield return ("embedding_gradient", "", () => new Kernel<EmbeddingGradientArguments>(device, "embedding_gradient", threads));
        yield return ("squares", "", () => new Kernel<SquaresArguments>(device, "squares", threads, Optimizer.Piece));
        yield return ("clip", "", () => new Kernel<ClipArguments>(device, "clip", threads));
        yield return ("adamw", "", () => new Kernel<AdamWArguments>(device, "adamw", threads, Optimizer.Piece, Constant.Of(true)));
        yield return ("sgd", "with momentum", () => new Kernel<SgdArguments>(device, "sgd", threads, Optimizer.Piece, Constant.Of(true), Constant.Of(true)));
    }

    private static string Variant(ProductKernel kernel) => kernel switch
    {
        ProductKernel.Tile => "product_tile",
        ProductKernel.Lane => "product_lane",
        _ => "product_coopmat",
    };
}
