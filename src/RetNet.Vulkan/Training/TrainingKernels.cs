using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>The kernels of products, loss and optimiser: which variant, and the values of its specialization constants.</summary>
internal static class TrainingKernels
{
    public static Kernel<ProductArguments> Product(GpuDevice device, ProductPlan plan, ProductForm form, bool biased)
    {
        ReadOnlySpan<uint> shared = [plan.Threads, (uint)form, plan.TileM, plan.TileN, plan.Depth, Constant.Of(plan.Parts > 1), Constant.Of(biased), plan.Band];
        return plan.Kernel switch
        {
            ProductKernel.Lane => new(device, "product_lane", [.. shared, plan.Threads]),
            _ => new(device, "product_tile", [.. shared, plan.ThreadM, plan.ThreadN]),
        };
    }

    /// <summary>The second half of a divided product: the sum of a product of inference.</summary>
    public static Kernel<MatMulSumArguments> ProductSum(GpuDevice device, uint threads, bool keeps, bool biased) => new(
        device, "matmul_sum", threads, (uint)(keeps ? ProductOutput.AddResidual : ProductOutput.Store), (uint)Activation.Silu, Constant.Of(biased), Constant.Of(false));
}
