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
        recorder.Dispatch(_kernel, new HeadNormArguments
        {
            O = _activations.HeadOutputs(layer),
            Y = _activations.Retained(layer),
            G = ProjectionAddresses.Of(config, _activations, layer).Gates,
            HeadWeight = _model.Layers[layer].HeadNorm,
            Decay = _model.Decay,
            Positions = _positions,
            Scores = _scoreSums,
            Stride = (uint)_activations.RetainedStride,
            GateStride = (uint)_activations.ProjectionStride,
            ValueSize = (uint)config.ValueSize,
            Eps = config.RetentionEps,
        }, (uint)(rows * config.Heads));
    }

    public void Dispose() => _kernel.Dispose();
}
