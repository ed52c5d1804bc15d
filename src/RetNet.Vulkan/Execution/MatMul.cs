using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Products of many tokens with matrices: kernels as they are needed, and the memory of divided ones' partial sums.</summary>
internal sealed class MatMul : IDisposable
{
    private const uint SumThreads = 128;

    private readonly GpuDevice _device;
    private readonly GpuBuffer _partials;
    private readonly Dictionary<KernelKey, Kernel<MatMulArguments>> _kernels = [];
    private readonly Dictionary<SumKey, Kernel<MatMulSumArguments>> _sums = [];

    /// <param name="device">The device.</param>
    /// <param name="kind">The kernel that <see cref="Record(Recorder, in MatMulTask)"/> takes.</param>
    public MatMul(GpuDevice device, MatMulKind kind)
    {
        (_device, Kind) = (device, kind);
        _partials = device.Allocate("partial sums", MatMulPlan.PartialBytes);
    }

    private readonly record struct KernelKey(MatMulPlan Plan, GgmlType Type, int Interleave, ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput);

    private readonly record struct SumKey(ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput);

    /// <summary>The kernel.</summary>
    public MatMulKind Kind { get; }

    /// <summary>Records a product with the plan that suits it.</summary>
    public void Record(Recorder recorder, in MatMulTask task) =>
        Record(recorder, task, MatMulPlan.Choose(_device.Capabilities, Kind, task.Halves, (uint)task.Tokens, task.Rows, task.PaddedColumns));

    /// <summary>Records a product with a plan, and a barrier within it where it is divided.</summary>
    public void Record(Recorder recorder, in MatMulTask task, MatMulPlan plan)
    {
        var matrix = task.Matrix;
        var partialStride = (matrix.Rows + 3) / 4 * 4;
        recorder.Dispatch(KernelOf(task, plan), new MatMulArguments
        {
            Weights = matrix.Weights,
            Scales = matrix.Scales,
            X = task.X,
            Y = task.Y,
            Partials = _partials.Address,
            Bias = matrix.Bias,
            Rows = task.Rows,
            Runs = (uint)matrix.Runs,
            Tokens = (uint)task.Tokens,
            XStride = (uint)task.XStride,
            YStride = (uint)task.YStride,
            PartialStride = (uint)partialStride,
            SplitColumns = plan.SplitColumns(task.PaddedColumns),
            ResidualScale = task.ResidualScale,
        }, Up(task.Rows, plan.HalfRows(task.Halves)), Up((uint)task.Tokens, plan.TileTokens), plan.Parts);
        if (plan.Parts == 1)
            return;
        recorder.Barrier();
        recorder.Dispatch(SumOf(task), new MatMulSumArguments
        {
            Partials = _partials.Address,
            Y = task.Y,
            Bias = matrix.Bias,
            Rows = task.Rows,
            Tokens = (uint)task.Tokens,
            Parts = plan.Parts,
            YStride = (uint)task.YStride,
            PartialStride = (uint)partialStride,
            ResidualScale = task.ResidualScale,
        }, Up(task.Rows, SumThreads), (uint)task.Tokens);
    }

    public void Dispose()
    {
        foreach (var kernel in _kernels.Values)
            kernel.Dispose();
        foreach (var kernel in _sums.Values)
            kernel.Dispose();
        _partials.Dispose();
    }

    private static uint Up(uint value, uint divisor) => (value + divisor - 1) / divisor;

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<MatMulArguments> KernelOf(in MatMulTask task, MatMulPlan plan)
    {
        // How many parts there are is no constant of the kernel, only whether there are several.
        var key = new KernelKey(plan with { Parts = Math.Min(plan.Parts, 2) }, task.Matrix.Type, task.Matrix.Interleave, task.Output, task.Activation, task.Matrix.Bias != 0, task.HalfOutput);
        if (!_kernels.TryGetValue(key, out var kernel))
            _kernels.Add(key, kernel = KernelFactory.MatMul(_device, plan, task));
        return kernel;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "Kept in the dictionary and disposed with it.")]
    private Kernel<MatMulSumArguments> SumOf(in MatMulTask task)
    {
        var key = new SumKey(task.Output, task.Activation, task.Matrix.Bias != 0, task.HalfOutput);
        if (!_sums.TryGetValue(key, out var kernel))
            _sums.Add(key, kernel = KernelFactory.MatMulSum(_device, SumThreads, task));
        return kernel;
    }
}
