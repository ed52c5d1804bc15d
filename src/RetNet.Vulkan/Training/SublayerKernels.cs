using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>What the layers of a training step share: kernels, tables, memory.</summary>
internal sealed class SublayerKernels : IDisposable
{
    private readonly PassTables _tables;
    private readonly GpuBuffer _constants;
    private readonly GpuBuffer? _chunkStates;
    private readonly Kernel<HeadNormBackwardArguments> _headNormBackward;
    private readonly Kernel<HeadNormBackwardArguments> _headNormBackwardWeighted;

    /// <param name="device">The device.</param>
    /// <param name="shape">The step.</param>
    /// <param name="memory">Its arrays.</param>
    /// <param name="tables">What rows belong to.</param>
    /// <param name="pass">How many there are of each.</param>
    /// <param name="vectors">Sums over rows.</param>
    public SublayerKernels(GpuDevice device, StepShape shape, StepMemory memory, PassTables tables, PassShape pass, VectorGradients vectors)
    {
        var (config, tuning) = (shape.Config, TuningFor(device, shape.Config));
        (Device, Shape, Memory, _tables, Vectors, Clamped) = (device, shape, memory, tables, vectors, shape.Options.TorchscaleClamp);
        _constants = Constants(device, config, out var decay, out var angles);
        (Ones, Angles) = (_constants.Address, angles);
        _chunkStates = shape.ChunkStateFloats > 0 ? device.Allocate("chunk states", (ulong)shape.ChunkStateFloats * sizeof(float)) : null;
        RetentionRows = new()
        {
            Shape = pass,
            Segments = tables.Segments,
            QueryTiles = tables.QueryTiles,
            Decay = decay,
            ChunkStates = _chunkStates?.Address ?? 0,
        };
        Retention = new(device, config, tuning, shape.Options.Length, shape.Options.LengthOfChunks, Clamped);
        Rotate = KernelFactory.Rotate(device, config, tuning);
        RotateBack = LayerKernels.RotateBack(device, config, tuning);
        HeadNorm = KernelFactory.HeadNorm(device, config, tuning, Clamped);
        _headNormBackward = LayerKernels.HeadNormBackward(device, config, tuning, Clamped, weighted: false);
        _headNormBackwardWeighted = LayerKernels.HeadNormBackward(device, config, tuning, Clamped, weighted: true);
        Unit = LayerKernels.Unit(device, config, tuning);
        UnitBackward = LayerKernels.UnitBackward(device, config, tuning);
    }

    public GpuDevice Device { get; }

    public StepShape Shape { get; }

    public StepMemory Memory { get; }

    public VectorGradients Vectors { get; }

    public TrainingRetention Retention { get; }

    public RetentionRows RetentionRows { get; }

    public Kernel<RotateArguments> Rotate { get; }

    public Kernel<RotateArguments> RotateBack { get; }

    public Kernel<HeadNormArguments> HeadNorm { get; }

    public Kernel<UnitArguments> Unit { get; }

    public Kernel<UnitBackwardArguments> UnitBackward { get; }

    /// <summary>Whether torchscale's clamp is part of the head norm's ε.</summary>
    public bool Clamped { get; }

    /// <summary>Device address of the weight of head norms that have none.</summary>
    public ulong Ones { get; }

    /// <summary>Device address of each rotary pair's fraction of a turn.</summary>
    public ulong Angles { get; }

    /// <summary>Sizes of kernels for a model.</summary>
    public static Tuning TuningFor(GpuDevice device, RetNetConfig config) => Tuning.For(device.Capabilities).ForValues(config.ValueSize);

    /// <summary>Device address of a row's position.</summary>
    public ulong PositionOf(int row) => _tables.Positions + ((ulong)row * sizeof(uint));

    /// <summary>The head norm's gradient; <paramref name="weighted"/> leaves what its weight's gradient sums.</summary>
    public Kernel<HeadNormBackwardArguments> HeadNormBackward(bool weighted) => weighted ? _headNormBackwardWeighted : _headNormBackward;

    public void Dispose()
    {
        UnitBackward.Dispose();
        Unit.Dispose();
        _headNormBackwardWeighted.Dispose();
        _headNormBackward.Dispose();
        HeadNorm.Dispose();
        RotateBack.Dispose();
        Rotate.Dispose();
        Retention.Dispose();
        _chunkStates?.Dispose();
        _constants.Dispose();
    }

    /// <summary>Ones of a head's values, decays and angles in one buffer.</summary>
    private static GpuBuffer Constants(GpuDevice device, RetNetConfig config, out ulong decay, out ulong angles)
    {
        var (ones, decays, turns) = (Enumerable.Repeat(1f, WeightStore.PaddedLength(config.ValueSize)).ToArray(), RetNetModel.DecayTable(config.Decay), RetNetModel.AngleTable(config.Angles));
        var decayAt = (ulong)ones.Length * sizeof(float);
        var anglesAt = decayAt + ((ulong)decays.Length * sizeof(float));
        var buffer = device.Allocate("constants of training", anglesAt + ((ulong)turns.Length * sizeof(ulong)));
        device.Write<float>(buffer, 0, ones);
        device.Write<float>(buffer, decayAt, decays);
        device.Write<ulong>(buffer, anglesAt, turns);
        (decay, angles) = (buffer.Address + decayAt, buffer.Address + anglesAt);
        return buffer;
    }
}
