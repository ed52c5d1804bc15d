using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>Retention of a layer: projections, rotation, retention, head norm, gate, output. Projections and retention's output are kept.</summary>
internal sealed class RetentionSublayer : ISublayer
{
    private readonly SublayerKernels _kernels;
    private readonly RetNetConfig _config;
    private readonly StepMemory _memory;
    private readonly int _layer;
    private readonly LinearMap _projection;
    private readonly LinearMap _output;
    private readonly ParameterTensor? _headWeight;

    /// <param name="kernels">What layers share.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="projection">Queries, keys, values and gates.</param>
    /// <param name="output">The output.</param>
    /// <param name="headWeight">The head norm's weight; null for ones.</param>
    public RetentionSublayer(SublayerKernels kernels, int layer, LinearMap projection, LinearMap output, ParameterTensor? headWeight)
    {
        (_kernels, _config, _memory, _layer) = (kernels, kernels.Shape.Config, kernels.Memory, layer);
        (_projection, _output, _headWeight) = (projection, output, headWeight);
    }

    private int Rows => _kernels.Shape.Rows;

    private RowArray Projections => _memory.Of(StepArray.Projections, _layer);

    private RowArray HeadOutputs => _memory.Of(StepArray.HeadOutputs, _layer);

    private ulong HeadWeight => _headWeight?.Weight ?? _kernels.Ones;

    private int GatesAt => _config.QueryWidth + _config.KeyWidth + _config.ValueWidth;

    private RetentionRows RetentionRows => _kernels.RetentionRows with { ScoreSums = ScoreSums(0) };

    public void RecordKept(Recorder recorder, RowArray input)
    {
        _projection.RecordForward(recorder, input, Projections, Rows, _memory[StepArray.AdapterInner]);
        Rotate(recorder, _kernels.Rotate, Projections);
        _kernels.Retention.RecordForward(recorder, Projections, HeadOutputs, RetentionRows);
    }

    public void RecordOutput(Recorder recorder, RowArray output, float keep)
    {
        RecordGated(recorder);
        _output.RecordForward(recorder, _memory[StepArray.Gated], output, Rows, _memory[StepArray.AdapterInner], keep);
    }

    public void RecordBackward(Recorder recorder, RowArray input, RowArray outputGradient, RowArray inputGradient, float keep)
    {
        var (gated, gatedGradient, gradients, inner) = (_memory[StepArray.Gated], _memory[StepArray.GatedGradient], _memory[StepArray.ProjectionGradients], _memory[StepArray.AdapterInner]);
        RecordGated(recorder);
        _output.RecordWeightGradients(recorder, gated, outputGradient, Rows, inner);
        _output.RecordInputGradient(recorder, outputGradient, gatedGradient, Rows, inner);

        RecordGateBackward(recorder, gatedGradient, gated, gradients);
        _kernels.Retention.RecordBackward(recorder, Projections, gated, gradients, _memory[StepArray.HeadGradients], RetentionRows);
        Rotate(recorder, _kernels.RotateBack, gradients);
        _projection.RecordWeightGradients(recorder, input, gradients, Rows, inner);
        _projection.RecordInputGradient(recorder, gradients, inputGradient, Rows, inner, keep);
    }

    /// <summary>Device address of Σ|score| of a row.</summary>
    private ulong ScoreSums(int row) => _kernels.Clamped ? _memory.Of(StepArray.ScoreSums, _layer).Address + ((ulong)row * (ulong)_config.Heads * sizeof(float)) : 0;

    private void Rotate(Recorder recorder, Kernel<RotateArguments> kernel, RowArray x)
    {
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, Rows))
            recorder.Dispatch(kernel, new RotateArguments
            {
                X = x.Row(first),
                Angles = _kernels.Angles,
                Positions = _kernels.PositionOf(first),
                Stride = (uint)x.Stride,
                QueryPairs = (uint)_config.QueryWidth / 2,
                Pairs = (uint)(_config.QueryWidth + _config.KeyWidth) / 2,
                KeyScale = 1 / MathF.Sqrt(_config.KeySize),
            }, count);
        recorder.Barrier();
    }

    /// <summary>Head norm and gate of what is kept.</summary>
    private void RecordGated(Recorder recorder)
    {
        var (gates, gated) = (Projections.Columns(GatesAt), _memory[StepArray.Gated]);
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, Rows, _config.Heads))
            recorder.Dispatch(_kernels.HeadNorm, new HeadNormArguments
            {
                O = HeadOutputs.Row(first),
                Y = gated.Row(first),
                G = gates.Row(first),
                HeadWeight = HeadWeight,
                Decay = _kernels.RetentionRows.Decay,
                Positions = _kernels.PositionOf(first),
                Scores = ScoreSums(first),
                Stride = (uint)gated.Stride,
                GateStride = (uint)gates.Stride,
                ValueSize = (uint)_config.ValueSize,
                Eps = _config.RetentionEps,
            }, count * (uint)_config.Heads);
        recorder.Barrier();
    }

    private void RecordGateBackward(Recorder recorder, RowArray gatedGradient, RowArray outputGradient, RowArray gradients)
    {
        var (gates, gateGradients) = (Projections.Columns(GatesAt), gradients.Columns(GatesAt));
        var weighted = _headWeight is { Trainable: true };
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, Rows, _config.Heads))
            recorder.Dispatch(_kernels.HeadNormBackward(weighted), new HeadNormBackwardArguments
            {
                O = HeadOutputs.Row(first),
                Dy = gatedGradient.Row(first),
                DO = outputGradient.Row(first),
                G = gates.Row(first),
                Dg = gateGradients.Row(first),
                HeadWeight = HeadWeight,
                Decay = _kernels.RetentionRows.Decay,
                Positions = _kernels.PositionOf(first),
                Scores = ScoreSums(first),
                Stride = (uint)gatedGradient.Stride,
                GateStride = (uint)gates.Stride,
                ValueSize = (uint)_config.ValueSize,
                Eps = _config.RetentionEps,
            }, count * (uint)_config.Heads);
        recorder.Barrier();
        if (weighted)
            _kernels.Vectors.Add(recorder, gatedGradient, Rows, _config.OutputWidth, _headWeight!.Gradient, _config.Heads);
    }
}
