using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The products of training, forward and both gradients: kernels as they are needed, and the memory of divided ones' partial sums. The same product gives
/// the same bits each time.
/// </summary>
internal sealed class TrainingProducts : IDisposable
{
    internal const uint SumThreads = 128;

    private readonly GpuDevice _device;
    private readonly Dictionary<KernelKey, Kernel<ProductArguments>> _kernels = [];
    private readonly Dictionary<SumKey, Kernel<ProductSumArguments>> _sums = [];
    private GpuBuffer? _partials;

    /// <param name="device">The device; must outlive the products.</param>
    /// <param name="precision">What factors are rounded to; sums are f32.</param>
    public TrainingProducts(GpuDevice device, ProductPrecision precision = ProductPrecision.F32)
        : this(device, KernelFor(device.Capabilities, precision))
    {
    }

    /// <param name="device">The device; must outlive the products.</param>
    /// <param name="kernel">The kernel of products that it can compute.</param>
    public TrainingProducts(GpuDevice device, ProductKernel kernel) => (_device, Kernel) = (device, kernel);

    private readonly record struct KernelKey(ProductPlan Plan, ProductForm Form, bool Biased);

    private readonly record struct SumKey(bool Keeps, bool Biased);

    /// <summary>The kernel.</summary>
    public ProductKernel Kernel { get; }

    /// <summary>The kernel that a device is fastest with.</summary>
    /// <exception cref="GpuException">f16 is asked for of a device without matrix units.</exception>
    public static ProductKernel KernelFor(DeviceCapabilities capabilities, ProductPrecision precision) =>
        precision == ProductPrecision.F32 ? DeviceMatrix.InterleaveFor(capabilities) > 1 ? ProductKernel.Lane : ProductKernel.Tile
        : ShaderLibrary.Has("product_coopmat") && ProductPlan.Candidates(capabilities, ProductKernel.Matrix).Count > 0 ? ProductKernel.Matrix
        : throw new GpuException("products in f16 need matrix units, which this device does not have; ask for f32");

    /// <summary>Records a product with the plan that suits it.</summary>
    public void Record(Recorder recorder, in TrainingProduct product) =>
        Record(recorder, product, ProductPlan.Choose(_device.Capabilities, Takes(product) ? Kernel : ProductKernel.Tile, product));

    /// <summary>Records a product with a plan, with barriers before each half of a divided one; what it reads is behind a barrier already.</summary>
    public void Record(Recorder recorder, in TrainingProduct product, ProductPlan plan)
    {
        var partials = plan.Parts > 1 ? (_partials ??= _device.Allocate("partial sums", ProductPlan.PartialBytes)).Address : 0;
        var partialStride = Up((uint)product.N, 4) * 4;
        // Another product may still be adding its parts.
        if (plan.Parts > 1)
            recorder.Barrier();
        recorder.Dispatch(KernelOf(product, plan), new ProductArguments
        {
            A = product.A,
            B = product.B,
            C = product.C,
            Partials = partials,
            Bias = product.Bias,
            M = (uint)product.M,
            N = (uint)product.N,
            K = (uint)product.K,
            AStride = (uint)product.AStride,
            BStride = (uint)product.BStride,
            CStride = (uint)product.CStride,
            PartialStride = partialStride,
            SplitDepth = plan.SplitDepth((uint)product.K),
            Scale = product.Scale,
            Keep = product.Keep,
        }, Up((uint)product.N, plan.TileN), Up((uint)product.M, plan.TileM), plan.Parts);
        if (plan.Parts == 1)
            return;
        recorder.Barrier();
        recorder.Dispatch(SumOf(product), new ProductSumArguments
        {
            Partials = partials,
            C = product.C,
            Bias = product.Bias,
            M = (uint)product.M,
            N = (uint)product.N,
            Parts = plan.Parts,
            CStride = (uint)product.CStride,
            PartialStride = partialStride,
            Keep = product.Keep,
        }, Up((uint)product.N, SumThreads), (uint)product.M);
    }

    public void Dispose()
    {
        foreach (var kernel in _kernels.Values)
            kernel.Dispose();
        foreach (var kernel in _sums.Values)
            kernel.Dispose();
        _partials?.Dispose();
    }

    /// <summary>Whether the kernel can compute a product.</summary>
    private bool Takes(in TrainingProduct product) => Kernel switch
    {
        ProductKernel.Lane => (product.A | product.B) % 8 == 0 && (product.AStride | product.BStride) % 8 == 0,
        ProductKernel.Matrix => (product.A | product.B) % 16 == 0 && (product.AStride | product.BStride) % 8 == 0,
        _ => true,
    };

    private static uint Up(uint value, uint divisor) => (value + divisor - 1) / divisor;

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<ProductArguments> KernelOf(in TrainingProduct product, ProductPlan plan)
    {
        // How many parts there are is no constant of the kernel, only whether there are several.
        var key = new KernelKey(plan with { Parts = Math.Min(plan.Parts, 2) }, product.Form, product.Bias != 0);
        if (!_kernels.TryGetValue(key, out var kernel))
            _kernels.Add(key, kernel = TrainingKernels.Product(_device, key.Plan, key.Form, key.Biased));
        return kernel;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<ProductSumArguments> SumOf(in TrainingProduct product)
    {
        var key = new SumKey(product.Keep != 0, product.Bias != 0);
        if (!_sums.TryGetValue(key, out var kernel))
            _sums.Add(key, kernel = TrainingKernels.ProductSum(_device, SumThreads, key.Keeps, key.Biased));
        return kernel;
    }
}
