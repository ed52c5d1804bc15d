using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>
/// Changes the weights of a <see cref="ParameterSet"/> by their gradients, on the device: their norm, clipping and the division by the loss' scale, then the
/// update of every trained tensor. The same gradients give the same bits each time. Dispose it before the parameters; not thread-safe.
/// </summary>
public abstract class Optimizer : IDisposable
{
    /// <summary>Values that a workgroup takes.</summary>
    internal const uint Piece = 4096;

    /// <summary>Floats of the settings on the device: the loss' scale, the largest norm, and three of the rule's own.</summary>
    private const int Settings = 8;

    private readonly GpuDevice _device;
    private readonly double? _clipNorm;
    private readonly GpuBuffer _settings;
    private readonly GpuBuffer _result;
    private readonly GpuBuffer _partials;
    private readonly Kernel<SquaresArguments> _squares;
    private readonly Kernel<ClipArguments> _clip;
    private Recording? _recording;

    private protected Optimizer(GpuDevice device, ParameterSet parameters, int moments, double? clipNorm)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(parameters);
        if (clipNorm is { } most && !(most > 0 && double.IsFinite(most)))
            throw new ArgumentOutOfRangeException(nameof(clipNorm), most, "the largest norm of the gradients is a positive number");
        (_device, Parameters, _clipNorm) = (device, parameters, clipNorm);
        parameters.AddMoments(moments);
        Runs = ParameterRun.Of(parameters);
        if (Runs.Count == 0)
            throw new ArgumentException("there is nothing to train", nameof(parameters));
        _settings = device.Allocate("settings", Settings * sizeof(float), MemoryPlacement.Upload);
        _result = device.Allocate("norm", 2 * sizeof(float), MemoryPlacement.Readback);
        _partials = device.Allocate("squares", (ulong)Runs.Sum(run => Pieces(run)) * sizeof(float));
        var threads = Tuning.For(device.Capabilities).RowThreads;
        _squares = new(device, "squares", threads, Piece);
        _clip = new(device, "clip", threads);
    }

    /// <summary>What it changes.</summary>
    public ParameterSet Parameters { get; }

    /// <summary>Updates made. Set it with the moments to go on from a checkpoint.</summary>
    public long Steps { get; set; }

    /// <summary>Moments that it keeps of each trained tensor: none, the first, or both.</summary>
    public abstract int Moments { get; }

    private protected IReadOnlyList<ParameterRun> Runs { get; }

    /// <summary>Device address of the settings, of which 2 to 4 are the rule's own.</summary>
    private protected ulong SettingsAddress => _settings.Address;

    /// <summary>Device address of the gradients' factor.</summary>
    private protected ulong FactorAddress => _result.Address;

    /// <summary>Makes one update and waits for it.</summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="lossScale">What the loss was multiplied with before it was differentiated; gradients are divided by it.</param>
    /// <returns>The gradients' norm before it was clipped. Where it is not finite, nothing was changed and <see cref="Steps"/> stays.</returns>
    public double Step(double learningRate, double lossScale = 1)
    {
        if (!(learningRate >= 0 && double.IsFinite(learningRate)))
            throw new ArgumentOutOfRangeException(nameof(learningRate), learningRate, "a learning rate is a number from 0");
        if (!(lossScale > 0 && double.IsFinite(lossScale)))
            throw new ArgumentOutOfRangeException(nameof(lossScale), lossScale, "a loss' scale is a positive number");
        _recording ??= _device.Record("optimiser", Record);
        var settings = _settings.AsSpan<float>();
        (settings[0], settings[1]) = ((float)lossScale, (float)(_clipNorm ?? 0));
        Set(settings[2..], learningRate, Steps + 1);
        _device.Wait(_device.Submit(_recording));
        double norm = _result.AsSpan<float>()[1];
        if (double.IsFinite(norm))
            Steps++;
        return norm;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what it holds of the device.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _recording?.Dispose();
        _squares.Dispose();
        _clip.Dispose();
        _partials.Dispose();
        _result.Dispose();
        _settings.Dispose();
    }

    /// <summary>Sets the rule's own settings for an update.</summary>
    private protected abstract void Set(Span<float> settings, double learningRate, long step);

    /// <summary>Records the update of a run.</summary>
    private protected abstract void Record(Recorder recorder, ParameterRun run);

    /// <summary>Workgroups that a run takes.</summary>
    private protected static uint Pieces(ParameterRun run) => (uint)((run.Floats + Piece - 1) / Piece);

    private void Record(Recorder recorder)
    {
        var count = 0u;
        foreach (var run in Runs)
        {
            recorder.Dispatch(_squares, new SquaresArguments { Values = run.First.Gradient, Partials = _partials.Address + count * sizeof(float), Count = (uint)run.Floats }, Pieces(run));
            count += Pieces(run);
        }

        recorder.Barrier();
        recorder.Dispatch(_clip, new ClipArguments { Partials = _partials.Address, Settings = _settings.Address, Result = _result.Address, Count = count }, 1);
        recorder.Barrier();
        foreach (var run in Runs)
            Record(recorder, run);
    }
}
