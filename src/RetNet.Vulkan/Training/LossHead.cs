using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The end of a training step: logits, their loss and its gradients, a block of rows at a time, so that the logits of all rows never exist at once.
/// With x the normed residual stream and W the output matrix, logits = x·Wᵀ; then dx = dlogits·W and dW += dlogitsᵀ·x.
/// </summary>
internal sealed class LossHead : IDisposable
{
    /// <summary>A target that does not count.</summary>
    public const int Ignored = -1;

    /// <summary>Bytes of logits that a block has at most, but that it has rows enough to multiply well.</summary>
    private const ulong BlockBytes = 256UL << 20;

    private const int LeastRows = 128;

    private readonly GpuDevice _device;
    private readonly TrainingProducts _products;
    private readonly ParameterTensor _output;
    private readonly int _blockRows;
    private readonly GpuBuffer _logits;
    private readonly GpuBuffer _input;
    private readonly GpuBuffer _losses;
    private readonly Kernel<CrossEntropyArguments> _loss;
    private readonly Kernel<CrossEntropyArguments> _gradient;

    /// <param name="device">The device; must outlive the head.</param>
    /// <param name="products">What multiplies.</param>
    /// <param name="output">The output matrix, [V][stride]: the embedding where they are tied.</param>
    /// <param name="rows">Rows of a step.</param>
    /// <param name="blockRows">Rows of a block; null takes what suits.</param>
    public LossHead(GpuDevice device, TrainingProducts products, ParameterTensor output, int rows, int? blockRows = null)
    {
        (_device, _products, _output, Rows) = (device, products, output, rows);
        _blockRows = (int)Math.Min((uint)Math.Min(blockRows ?? BlockRows(output.Rows), rows), device.Capabilities.WorkgroupCount);
        _logits = device.Allocate("logits", (ulong)_blockRows * (ulong)Stride * sizeof(float));
        // The loss' scale, then the targets, written by the host for each step.
        _input = device.Allocate("targets", ((ulong)rows + 1) * sizeof(float), MemoryPlacement.Upload);
        _losses = device.Allocate("losses", (ulong)rows * sizeof(float), MemoryPlacement.Readback);
        var threads = Tuning.For(device.Capabilities).RowThreads;
        _loss = new(device, "cross_entropy", threads, Constant.Of(false));
        _gradient = new(device, "cross_entropy", threads, Constant.Of(true));
    }

    /// <summary>Rows of a step.</summary>
    public int Rows { get; }

    private int Stride => WeightStore.PaddedLength(_output.Rows);

    /// <summary>Bytes that a head takes on the device.</summary>
    public static ulong BytesOf(int vocabulary, int rows) => (ulong)Math.Min(BlockRows(vocabulary), rows) * (ulong)WeightStore.PaddedLength(vocabulary) * sizeof(float);

    /// <summary>Sets what the next submission compares with; nothing of an earlier one may still run.</summary>
    /// <param name="targets">One a row: a token, or <see cref="Ignored"/>.</param>
    /// <param name="scale">What the gradient is multiplied with.</param>
    /// <exception cref="ArgumentException">There are more or fewer targets than rows, or one is no token.</exception>
    public void Set(ReadOnlySpan<int> targets, double scale)
    {
        if (targets.Length != Rows)
            throw new ArgumentException($"{targets.Length} targets for {Rows} rows", nameof(targets));
        foreach (var target in targets)
            if (target != Ignored && (uint)target >= (uint)_output.Rows)
                throw new ArgumentException($"token {target} is none of a vocabulary of {_output.Rows}", nameof(targets));
        _input.AsSpan<float>()[0] = (float)scale;
        targets.CopyTo(_input.AsSpan<int>()[1..]);
    }

    /// <summary>Records loss and gradients: dx is written, dW is added to where the matrix is trained. Barriers lie within, none before and behind.</summary>
    /// <param name="recorder">Where to.</param>
    /// <param name="x">Device address of x, [rows][<paramref name="stride"/>].</param>
    /// <param name="dx">Device address of dx, likewise.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    public void RecordGradients(Recorder recorder, ulong x, ulong dx, int stride) => RecordBlocks(recorder, x, stride, (first, rows) =>
    {
        RecordLoss(recorder, _gradient, first, rows);
        recorder.Barrier();
        _products.Record(recorder, new TrainingProduct
        {
            Form = ProductForm.InputGradient,
            A = _logits.Address,
            B = _output.Weight,
            C = Row(dx, first, stride),
            M = rows,
            N = _output.Columns,
            K = _output.Rows,
            AStride = Stride,
            BStride = _output.Stride,
            CStride = stride,
        });
        if (!_output.Trainable)
            return;
        _products.Record(recorder, new TrainingProduct
        {
            Form = ProductForm.WeightGradient,
            A = _logits.Address,
            B = Row(x, first, stride),
            C = _output.Gradient,
            M = _output.Rows,
            N = _output.Columns,
            K = rows,
            AStride = Stride,
            BStride = stride,
            CStride = _output.Stride,
            Keep = 1,
        });
    });

    /// <summary>Records the loss alone.</summary>
    /// <param name="recorder">Where to.</param>
    /// <param name="x">Device address of x, [rows][<paramref name="stride"/>].</param>
    /// <param name="stride">Floats from one row to the next.</param>
    public void RecordLoss(Recorder recorder, ulong x, int stride) =>
        RecordBlocks(recorder, x, stride, (first, rows) => RecordLoss(recorder, _loss, first, rows));

    /// <summary>Σ −ln p over the targets of the last submission that count, after it has run; the same for the same logits.</summary>
    public double ReadLoss()
    {
        double sum = 0;
        foreach (var loss in _losses.AsSpan<float>()[..Rows])
            sum += loss;
        return sum;
    }

    public void Dispose()
    {
        _gradient.Dispose();
        _loss.Dispose();
        _losses.Dispose();
        _input.Dispose();
        _logits.Dispose();
    }

    private static int BlockRows(int vocabulary)
    {
        var rows = (int)Math.Min(BlockBytes / sizeof(float) / (ulong)WeightStore.PaddedLength(vocabulary), int.MaxValue / 2);
        return Math.Max(rows / LeastRows * LeastRows, LeastRows);
    }

    private static ulong Row(ulong address, int row, int stride) => address + ((ulong)row * (ulong)stride * sizeof(float));

    private void RecordBlocks(Recorder recorder, ulong x, int stride, Action<int, int> use)
    {
        for (var first = 0; first < Rows; first += _blockRows)
        {
            var rows = Math.Min(_blockRows, Rows - first);
            if (first > 0)
                recorder.Barrier();
            _products.Record(recorder, new TrainingProduct
            {
                Form = ProductForm.Forward,
                A = Row(x, first, stride),
                B = _output.Weight,
                C = _logits.Address,
                M = rows,
                N = _output.Rows,
                K = _output.Columns,
                AStride = stride,
                BStride = _output.Stride,
                CStride = Stride,
            });
            recorder.Barrier();
            use(first, rows);
        }
    }

    private void RecordLoss(Recorder recorder, Kernel<CrossEntropyArguments> kernel, int first, int rows) => recorder.Dispatch(kernel, new CrossEntropyArguments
    {
        Logits = _logits.Address,
        Targets = _input.Address + (((ulong)first + 1) * sizeof(uint)),
        Losses = _losses.Address + ((ulong)first * sizeof(float)),
        Scale = _input.Address,
        Columns = (uint)_output.Rows,
        Stride = (uint)Stride,
    }, (uint)rows);
}
