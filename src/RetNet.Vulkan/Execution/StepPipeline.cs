using System.Diagnostics;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Runs a recorded step again and again, the device ahead of the reader. A submission holds as many steps as take about
/// <see cref="Target"/> on this device, measured as it goes; two are in flight, so that the device has work while the host reads
/// what the first one left.
/// </summary>
/// <param name="device">The device.</param>
/// <param name="step">The step; must outlive the submissions.</param>
/// <param name="runAhead">Without it one step is in flight at a time.</param>
internal sealed class StepPipeline(GpuDevice device, Recording step, bool runAhead = true)
{
    /// <summary>Steps of a submission at most.</summary>
    private const int MostSteps = 16;

    /// <summary>A wait that is shorter tells nothing about the device: the host was late.</summary>
    private static readonly TimeSpan Awaited = TimeSpan.FromMicroseconds(20);

    private static readonly TimeSpan Target = TimeSpan.FromMilliseconds(10);

    private readonly Queue<(ulong Value, int Steps)> _running = new();
    private TimeSpan? _stepTime;
    private int _steps = 1;

    /// <summary>When the device began with the oldest submission; null where that is not known.</summary>
    private long? _began;

    /// <summary>Whether another submission should be made before the oldest is waited for.</summary>
    public bool HasRoom => _running.Count < (runAhead ? 2 : 1);

    /// <summary>Whether nothing is in flight.</summary>
    public bool IsEmpty => _running.Count == 0;

    /// <summary>Submits some steps.</summary>
    /// <param name="most">How many at most; at least one.</param>
    /// <returns>How many.</returns>
    public int Submit(long most)
    {
        var steps = runAhead ? (int)Math.Min(_steps, most) : 1;
        if (_running.Count == 0)
            _began = Stopwatch.GetTimestamp();
        _running.Enqueue((device.Submit(step, steps), steps));
        return steps;
    }

    /// <summary>Waits for the oldest submission.</summary>
    /// <returns>Its steps.</returns>
    public int Wait()
    {
        var (value, steps) = _running.Dequeue();
        var start = Stopwatch.GetTimestamp();
        device.Wait(value);
        var end = Stopwatch.GetTimestamp();
        var awaited = Stopwatch.GetElapsedTime(start, end) >= Awaited;
        if (awaited && _began is { } began)
            Learn(Stopwatch.GetElapsedTime(began, end) / steps);
        _began = awaited ? end : null;
        return steps;
    }

    private void Learn(TimeSpan stepTime)
    {
        _stepTime = ((_stepTime ?? stepTime) + stepTime) / 2;
        _steps = (int)Math.Clamp(Target / _stepTime.Value, 1, Math.Min(MostSteps, 2 * _steps));
    }
}
