using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>Gradient descent with momentum as torch.optim.SGD computes it (shaders/training/sgd.comp).</summary>
public sealed class Sgd : Optimizer
{
    private readonly SgdOptions _options;
    private readonly Kernel<SgdArguments>[] _kernels;

    /// <summary>Creates the optimiser, and the moments where it has momentum and the parameters have none yet.</summary>
    /// <exception cref="GpuException">The moments do not fit the device.</exception>
    public Sgd(GpuDevice device, ParameterSet parameters, SgdOptions options)
        : base(device, parameters, Checked(options).Momentum > 0 ? 1 : 0, options.ClipNorm)
    {
        _options = options;
        var threads = Tuning.For(device.Capabilities).RowThreads;
        var momentum = Constant.Of(options.Momentum > 0);
        _kernels = [new(device, "sgd", threads, Piece, Constant.Of(false), momentum), new(device, "sgd", threads, Piece, Constant.Of(true), momentum)];
    }

    /// <inheritdoc/>
    public override int Moments => _options.Momentum > 0 ? 1 : 0;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Array.ForEach(_kernels, kernel => kernel.Dispose());
    }

    private protected override void Set(Span<float> settings, double learningRate, long step) => settings[0] = (float)learningRate;

    private protected override void Record(Recorder recorder, ParameterRun run) => recorder.Dispatch(_kernels[run.First.Decays ? 1 : 0], new SgdArguments
    {
        Weights = run.First.Weight,
        Gradients = run.First.Gradient,
        First = Moments > 0 ? Parameters.AddressOf(run.First, ParameterKind.FirstMoment) : 0,
        Settings = SettingsAddress,
        Factor = FactorAddress,
        Count = (uint)run.Floats,
        Momentum = (float)_options.Momentum,
        Decay = (float)_options.WeightDecay,
    }, Pieces(run));

    private static SgdOptions Checked(SgdOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options is not { Momentum: >= 0 and < 1, WeightDecay: >= 0 })
            throw new ArgumentOutOfRangeException(nameof(options), options, "momentum lies from 0 to below 1, weight decay from 0");
        return options;
    }
}
