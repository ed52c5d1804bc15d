using System.Diagnostics.CodeAnalysis;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Products of many tokens with matrices: kernels as they are needed, and the memory in which workgroups of a divided product tell each other their sums.
/// </summary>
internal sealed class MatMul : IDisposable
{
    /// <summary>Tiles of rows of a residual stream that is normalised by the products behind and before it.</summary>
    private const int MostNormTiles = 2048;

    /// <summary>Heads whose scales shared memory has room for.</summary>
    private const int MostHeads = 32;

    /// <summary>Tiles of a divided product at most.</summary>
    private const int MostArrivals = 1 << 16;

    private readonly GpuDevice _device;
    private readonly GpuBuffer _partials;
    private readonly GpuBuffer _arrivals;
    private readonly GpuBuffer? _squares;
    private readonly GpuBuffer? _unpacked;
    private readonly Dictionary<KernelKey, Kernel<MatMulArguments>> _kernels = [];
    private readonly Dictionary<GgmlType, Kernel<UnpackArguments>> _unpacks = [];
    private uint _normTiles;

    /// <param name="device">The device.</param>
    /// <param name="kind">The kernel that <see cref="Record(Recorder, in MatMulTask)"/> takes.</param>
    /// <param name="unpackedBytes">The largest matrix as f16; 0 unpacks none.</param>
    public MatMul(GpuDevice device, MatMulKind kind, ulong unpackedBytes = 0)
    {
        (_device, Kind) = (device, kind);
        _unpacked = unpackedBytes > 0 ? device.Allocate("unpacked weights", unpackedBytes) : null;
        _partials = device.Allocate("partial sums", MatMulPlan.PartialBytes);
        _arrivals = device.Allocate("arrivals", MostArrivals * sizeof(uint));
        _squares = kind == MatMulKind.SubgroupMatrix ? device.Allocate("sums of squares", MatMulPlan.ManyTokens * MostNormTiles * sizeof(float)) : null;
        device.Run("clear arrivals", recorder => recorder.Fill(_arrivals));
    }

    private readonly record struct KernelKey(
        MatMulPlan Plan, GgmlType Type, int Interleave, ProductOutput Output, Activation Activation, bool Biased, bool HalfOutput, bool NormedInput, bool NormsOutput, int Heads, int HeadSize, bool Chained);

    /// <summary>The kernel.</summary>
    public MatMulKind Kind { get; }

    /// <summary>Whether a matrix that is not f16 is unpacked once for so many tokens, and not by every tile of them.</summary>
    public static bool Unpacks(int tokens) => tokens > MatMulPlan.ManyTokens;

    /// <summary>Whether products normalise what they leave for each other (<see cref="MatMulTask.OutputNorm"/>), instead of a dispatch between them.</summary>
    /// <param name="rows">Tokens.</param>
    /// <param name="width">Elements of a token.</param>
    public bool Normalises(int rows, int width) =>
        Kind == MatMulKind.SubgroupMatrix && rows <= MatMulPlan.ManyTokens
            && MatMulPlan.Candidates(_device.Capabilities, Kind, 1).All(plan => Up((uint)width, plan.TileRows) <= MostNormTiles);

    /// <summary>Whether a product finishes the head norm of retention's outputs (<see cref="MatMulTask.HeadNormedInput"/>): of so many tokens, heads and columns of each.</summary>
    public static bool FinishesHeadNorm(DeviceCapabilities capabilities, MatMulKind? kind, int rows, int heads, int headSize) =>
        kind == MatMulKind.SubgroupMatrix && rows <= MatMulPlan.ManyTokens && heads <= MostHeads
            && MatMulPlan.Candidates(capabilities, MatMulKind.SubgroupMatrix, 1).All(plan => headSize % plan.Depth == 0);

    /// <summary>Records a product with the plan that suits it.</summary>
    public void Record(Recorder recorder, in MatMulTask task)
    {
        var own = _unpacked is not null && Unpacks(task.Tokens) && task.Matrix is { Type: not GgmlType.F16, Interleave: 1 } ? task with { Matrix = Unpack(recorder, task.Matrix) } : task;
        Record(recorder, own, MatMulPlan.Choose(_device.Capabilities, Kind, own.Halves, (uint)own.Tokens, own.Rows, own.PaddedColumns));
    }

    /// <summary>Records a product with a plan.</summary>
    public void Record(Recorder recorder, in MatMulTask task, MatMulPlan plan)
    {
        var matrix = task.Matrix;
        var tiles = Up(task.Rows, plan.HalfRows(task.Halves));
        recorder.Dispatch(KernelOf(task, plan), new MatMulArguments
        {
            Weights = matrix.Weights,
            Scales = matrix.Scales,
            X = task.X,
            Y = task.Y,
            Bias = matrix.Bias,
            Partials = _partials.Address,
            Arrivals = _arrivals.Address,
            Squares = _squares?.Address ?? 0,
            NormWeight = task.OutputNorm?.Weight ?? 0,
            Normed = task.OutputNorm?.Normed ?? 0,
            Rows = task.Rows,
            Runs = (uint)matrix.Runs,
            Tokens = (uint)task.Tokens,
            XStride = (uint)task.XStride,
            YStride = (uint)task.YStride,
            SplitColumns = plan.SplitColumns(task.PaddedColumns),
            HeadSquares = task.HeadNormedInput?.Squares ?? 0,
            InputTiles = (uint?)task.HeadNormedInput?.Tiles ?? _normTiles,
            InputWidth = (uint)(task.NormedInput?.Width ?? 0),
            ResidualScale = task.ResidualScale,
            Eps = task.NormedInput?.Eps ?? 0,
        }, tiles, Up((uint)task.Tokens, plan.TileTokens), plan.Parts);
        if (task.OutputNorm is not null)
            _normTiles = tiles;
    }

    public void Dispose()
    {
        foreach (var kernel in _kernels.Values)
            kernel.Dispose();
        foreach (var kernel in _unpacks.Values)
            kernel.Dispose();
        _unpacked?.Dispose();
        _squares?.Dispose();
        _arrivals.Dispose();
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
        var key = new KernelKey(plan with { Parts = Math.Min(plan.Parts, 2) }, task.Matrix.Type, task.Matrix.Interleave, task.Output, task.Activation, task.Matrix.Bias != 0, task.HalfOutput, task.NormedInput is not null, task.OutputNorm is not null, task.HeadNormedInput?.Heads ?? 0, task.HeadNormedInput?.HeadSize ?? 0, task.Chained);
        if (!_kernels.TryGetValue(key, out var kernel))
            _kernels.Add(key, kernel = KernelFactory.MatMul(_device, plan, task));
        return kernel;
    }
}
