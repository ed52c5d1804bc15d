using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>AdamW as torch.optim.AdamW computes it (shaders/training/adamw.comp).</summary>
public sealed class AdamW : Optimizer
{
    private readonly AdamWOptions _options;
    private readonly Kernel<AdamWArguments>[] _kernels;

    /// <summary>Creates the optimiser, and the moments where the parameters have none yet.</summary>
    /// <exception cref="GpuException">The moments do not fit the device.</exception>
    public AdamW(GpuDevice device, ParameterSet parameters, AdamWOptions options)
        : base(device, parameters, 2, Checked(options).ClipNorm)
    {
        _options = options;
        var threads = Tuning.For(device.Capabilities).RowThreads;
        _kernels = [new(device, "adamw", threads, Piece, Constant.Of(false)), new(device, "adamw", threads, Piece, Constant.Of(true))];
    }

    /// <inheritdoc/>
    public override int Moments => 2;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            Array.ForEach(_kernels, kernel => kernel.Dispose());
    }

    private protected override void Set(Span<float> settings, double learningRate, long step)
    {
        settings[0] = (float)(1 - learningRate * _options.WeightDecay);
        settings[1] = (float)(learningRate / (1 - Math.Pow(_options.Beta1, step)));
        settings[2] = (float)Math.Sqrt(1 - Math.Pow(_options.Beta2, step));
    }

    private protected override void Record(Recorder recorder, ParameterRun run) => recorder.Dispatch(_kernels[run.First.Decays ? 1 : 0], new AdamWArguments
    {
        Weights = run.First.Weight,
        Gradients = run.First.Gradient,
        First = Parameters.AddressOf(run.First, ParameterKind.FirstMoment),
        Second = Parameters.AddressOf(run.First, ParameterKind.SecondMoment),
        Settings = SettingsAddress,
        Factor = FactorAddress,
        Count = (uint)run.Floats,
        MeanShare = (float)(1 - _options.Beta1),
        SquareKeep = (float)_options.Beta2,
        SquareShare = (float)(1 - _options.Beta2),
        Eps = (float)_options.Eps,
    }, Pieces(run));

    private static AdamWOptions Checked(AdamWOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options is not { Beta1: >= 0 and < 1, Beta2: >= 0 and < 1, Eps: > 0, WeightDecay: >= 0 })
            throw new ArgumentOutOfRangeException(nameof(options), options, "betas lie from 0 to below 1, eps above 0, weight decay from 0");
        return options;
    }
}
