using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Head norm and gate as a dispatch of their own (shaders/norm/head_norm.comp).</summary>
internal sealed class HeadNorm : IDisposable
{
    private readonly RetNetModel _model;
    private readonly Activations _activations;
    private readonly ulong _positions;
    private readonly ulong _scoreSums;
    private readonly Kernel<HeadNormArguments> _kernel;

    /// <param name="model">The model.</param>
    /// <param name="activations">The arena.</param>
    /// <param name="positions">Device address of each row's position.</param>
    /// <param name="scoreSums">Device address of Σ|score| for torchscale's clamp; 0 without it.</param>
    public HeadNorm(RetNetModel model, Activations activations, ulong positions, ulong scoreSums)
    {
        (_model, _activations, _positions, _scoreSums) = (model, activations, positions, scoreSums);
        _kernel = KernelFactory.HeadNorm(model.Device, model.Config, Tuning.For(model.Device.Capabilities), clamped: scoreSums != 0, activations.Precision == ProductPrecision.F16, activations.HalfProjections);
    }

    public void Record(Recorder recorder, int layer, int rows)
    {
        var config = _model.Config;
        var (stride, gateStride) = ((uint)_activations.RetainedStride, (uint)_activations.ProjectionStride);
        foreach (var (first, count) in RowBlocks.Of(_model.Device, rows, config.Heads))
            recorder.Dispatch(_kernel, new HeadNormArguments
            {
                O = Row(_activations.HeadOutputs(layer), first, stride),
                Y = Row(_activations.Retained(layer), first, stride, half: _activations.Precision == ProductPrecision.F16),
                G = Row(ProjectionAddresses.Of(config, _activations, layer).Gates, first, gateStride, half: _activations.HalfProjections),
                HeadWeight = _model.Layers[layer].HeadNorm,
                Decay = _model.Decay,
                Positions = Row(_positions, first, stride: 1),
                Scores = Row(_scoreSums, first, (uint)config.Heads),
                Stride = stride,
                GateStride = gateStride,
                ValueSize = (uint)config.ValueSize,
                Eps = config.RetentionEps,
            }, count * (uint)config.Heads);
    }

    public void Dispose() => _kernel.Dispose();

    private static ulong Row(ulong address, int row, uint stride, bool half = false) => address + ((ulong)row * stride * (half ? 2u : sizeof(float)));
}
