using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>The feed-forward network of a layer. What goes into its unit is kept.</summary>
internal sealed class FeedForwardSublayer : ISublayer
{
    private readonly SublayerKernels _kernels;
    private readonly StepMemory _memory;
    private readonly int _layer;
    private readonly LinearMap _in;
    private readonly TrainingNorm? _subNorm;
    private readonly LinearMap _down;

    /// <param name="kernels">What layers share.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="into">The branches.</param>
    /// <param name="subNorm">The norm before the last product; null without.</param>
    /// <param name="down">The last product.</param>
    public FeedForwardSublayer(SublayerKernels kernels, int layer, LinearMap into, TrainingNorm? subNorm, LinearMap down) =>
        (_kernels, _memory, _layer, _in, _subNorm, _down) = (kernels, kernels.Memory, layer, into, subNorm, down);

    private int Rows => _kernels.Shape.Rows;

    private RowArray Units => _memory.Of(StepArray.Units, _layer);

    public void RecordKept(Recorder recorder, RowArray input) => _in.RecordForward(recorder, input, Units, Rows, _memory[StepArray.AdapterInner]);

    public void RecordOutput(Recorder recorder, RowArray output, float keep) => _down.RecordForward(recorder, RecordHidden(recorder), output, Rows, _memory[StepArray.AdapterInner], keep);

    public void RecordBackward(Recorder recorder, RowArray input, RowArray outputGradient, RowArray inputGradient, float keep)
    {
        var (hiddenGradient, inner) = (_memory[StepArray.HiddenGradient], _memory[StepArray.AdapterInner]);
        var behindNorm = _subNorm is null ? hiddenGradient : _memory[StepArray.NormedHiddenGradient];
        _down.RecordWeightGradients(recorder, RecordHidden(recorder), outputGradient, Rows, inner);
        _down.RecordInputGradient(recorder, outputGradient, behindNorm, Rows, inner);
        _subNorm?.RecordBackward(recorder, _memory[StepArray.Hidden], behindNorm, hiddenGradient, Rows);

        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, Rows))
            recorder.Dispatch(_kernels.UnitBackward, new UnitBackwardArguments
            {
                X = Units.Row(first),
                Dh = hiddenGradient.Row(first),
                Columns = (uint)_kernels.Shape.Config.FeedForwardSize,
                Stride = (uint)Units.Stride,
                HiddenStride = (uint)hiddenGradient.Stride,
            }, count);
        recorder.Barrier();
        _in.RecordWeightGradients(recorder, input, Units, Rows, inner);
        _in.RecordInputGradient(recorder, Units, inputGradient, Rows, inner, keep);
    }

    /// <summary>The last product's input from what is kept.</summary>
    private RowArray RecordHidden(Recorder recorder)
    {
        var hidden = _memory[StepArray.Hidden];
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, Rows))
            recorder.Dispatch(_kernels.Unit, new UnitArguments
            {
                X = Units.Row(first),
                H = hidden.Row(first),
                Columns = (uint)_kernels.Shape.Config.FeedForwardSize,
                Stride = (uint)Units.Stride,
                HiddenStride = (uint)hidden.Stride,
            }, count);
        recorder.Barrier();
        if (_subNorm is null)
            return hidden;
        var normed = _memory[StepArray.NormedHidden];
        _subNorm.RecordForward(recorder, hidden, normed, Rows);
        return normed;
    }
}
