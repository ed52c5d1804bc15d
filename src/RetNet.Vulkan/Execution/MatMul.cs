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
    private readonly GpuBuffer? _unpacked;
    private readonly Dictionary<KernelKey, Kernel<MatMulArguments>> _kernels = [];
    private readonly Dictionary<SumKey, Kernel<MatMulSumArguments>> _sums = [];
    private readonly Dictionary<GgmlType, Kernel<UnpackArguments>> _unpacks = [];

    /// <param name="device">The device.</param>
    /// <param name="kind">The kernel that <see cref="Record(Recorder, in MatMulTask)"/> takes.</param>
    /// <param name="unpackedBytes">The largest matrix as f16; 0 unpacks none.</param>
    public MatMul(GpuDevice device, MatMulKind kind, ulong unpackedBytes = 0)
    {
        (_device, Kind) = (device, kind);
        _unpacked = unpackedBytes > 0 ? device.Allocate("unpacked weights", unpackedBytes) : null;
        _partials = device.Allocate("partial sums", MatMulPlan.PartialBytes);
    }

    private readonly record struct KernelKey(MatMulPlan Plan, GgmlType Type, int Interleave, ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput);

    private readonly record struct SumKey(ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput);

    /// <summary>The kernel.</summary>
    public MatMulKind Kind { get; }

    /// <summary>Whether a matrix that is not f16 is unpacked once for so many tokens, and not by every tile of them.</summary>
    public static bool Unpacks(int tokens) => tokens > 512;

    /// <summary>Records a product with the plan that suits it.</summary>
    public void Record(Recorder recorder, in MatMulTask task)
    {
        var own = _unpacked is not null && Unpacks(task.Tokens) && task.Matrix is { Type: not GgmlType.F16, Interleave: 1 } ? task with { Matrix = Unpack(recorder, task.Matrix) } : task;
        Record(recorder, own, MatMulPlan.Choose(_device.Capabilities, Kind, own.Halves, (uint)own.Tokens, own.Rows, own.PaddedColumns));
    }

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
        foreach (var kernel in _unpacks.Values)
            kernel.Dispose();
        _unpacked?.Dispose();
        _partials.Dispose();
    }

    private DeviceMatrix Unpack(Recorder recorder, DeviceMatrix matrix)
    {
        if (!_unpacks.TryGetValue(matrix.Type, out var kernel))
            _unpacks.Add(matrix.Type, kernel = KernelFactory.Unpack(_device, Tuning.For(_device.Capabilities), matrix.Type));
        recorder.Dispatch(kernel, new UnpackArguments { Weights = matrix.Weights, Scales = matrix.Scales, Unpacked = _unpacked!.Address, Runs = (uint)matrix.Runs }, (uint)matrix.Rows);
        recorder.Barrier();
        return new(GgmlType.F16, matrix.Rows, matrix.Columns, 1, _unpacked.Address, 0, matrix.Bias);
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
