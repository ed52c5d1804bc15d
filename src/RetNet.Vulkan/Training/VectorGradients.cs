using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>Gradients of vectors, which are sums over rows: in two stages, blocks of rows and then the blocks, always in the same order.</summary>
internal sealed class VectorGradients : IDisposable
{
    private const int LeastBlock = 32;
    private const int MostBlocks = 256;

    private readonly GpuBuffer _partials;
    private readonly uint _threads;
    private readonly Kernel<NormWeightArguments> _normWeight;
    private readonly Kernel<ColumnSumArguments> _sum;
    private readonly Kernel<ColumnSumArguments> _addition;

    /// <param name="device">The device.</param>
    /// <param name="tuning">Sizes.</param>
    /// <param name="rows">Rows at most.</param>
    /// <param name="columns">Columns at most.</param>
    public VectorGradients(GpuDevice device, Tuning tuning, int rows, int columns)
    {
        _threads = LayerKernels.ColumnThreads(tuning);
        _partials = device.Allocate("partial gradients", BytesOf(rows, columns));
        _normWeight = LayerKernels.NormWeight(device, tuning);
        _sum = LayerKernels.ColumnSum(device, tuning, accumulate: false);
        _addition = LayerKernels.ColumnSum(device, tuning, accumulate: true);
    }

    /// <summary>Bytes of the sums of blocks.</summary>
    public static ulong BytesOf(int rows, int columns) => (ulong)Up(rows, BlockRows(rows)) * (ulong)columns * sizeof(float);

    /// <summary>Adds Σ x to a gradient, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="x">What is summed.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="gradient">Device address of the gradient, [columns / groups].</param>
    /// <param name="groups">Groups of columns that share the gradient: heads.</param>
    public void Add(Recorder recorder, RowArray x, int rows, int columns, ulong gradient, int groups = 1)
    {
        var block = BlockRows(rows);
        Sum(recorder, _sum, x, rows, columns, _partials.Address, block);
        AddPartials(recorder, Up(rows, block) * groups, columns / groups, gradient);
    }

    /// <summary>Adds Σ dy · (x − μ) · r to the gradient of a norm's weight, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="x">What was normalised.</param>
    /// <param name="dy">The gradient with respect to the result, of the same stride.</param>
    /// <param name="moments">Device address of (μ, r) of each row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="gradient">Device address of the gradient.</param>
    public void AddNormWeight(Recorder recorder, RowArray x, RowArray dy, ulong moments, int rows, int columns, ulong gradient)
    {
        var block = BlockRows(rows);
        recorder.Dispatch(_normWeight, new NormWeightArguments
        {
            X = x.Address,
            Dy = dy.Address,
            Moments = moments,
            Partial = _partials.Address,
            Rows = (uint)rows,
            Columns = (uint)columns,
            Stride = (uint)x.Stride,
            BlockRows = (uint)block,
        }, (uint)Up(columns, (int)_threads), (uint)Up(rows, block));
        recorder.Barrier();
        AddPartials(recorder, Up(rows, block), columns, gradient);
    }

    public void Dispose()
    {
        _addition.Dispose();
        _sum.Dispose();
        _normWeight.Dispose();
        _partials.Dispose();
    }

    private static int BlockRows(int rows) => Math.Max(LeastBlock, Up(rows, MostBlocks));

    private static int Up(int value, int divisor) => (value + divisor - 1) / divisor;

    private void AddPartials(Recorder recorder, int rows, int columns, ulong gradient) => Sum(recorder, _addition, new(_partials.Address, columns), rows, columns, gradient, rows);

    private void Sum(Recorder recorder, Kernel<ColumnSumArguments> kernel, RowArray x, int rows, int columns, ulong y, int block)
    {
        recorder.Dispatch(kernel, new ColumnSumArguments
        {
            X = x.Address,
            Y = y,
            Rows = (uint)rows,
            Columns = (uint)columns,
            Stride = (uint)x.Stride,
            BlockRows = (uint)block,
        }, (uint)Up(columns, (int)_threads), (uint)Up(rows, block));
        recorder.Barrier();
    }
}
