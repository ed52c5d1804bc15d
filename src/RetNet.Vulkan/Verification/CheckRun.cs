using System.Globalization;
using System.Numerics;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>A check while it runs: its memory, and the worst that was found.</summary>
/// <param name="device">The device.</param>
/// <param name="tolerance">The error allowed.</param>
/// <param name="distort">Changes every reference before it is compared; null leaves them. What tests prove with that checks can fail.</param>
internal sealed class CheckRun(GpuDevice device, double tolerance, Action<double[]>? distort) : IDisposable
{
    private string _case = "";

    public GpuDevice Device { get; } = device;

    public CheckArena Arena { get; } = new(device);

    /// <summary>The same values in every run.</summary>
    public Random Random { get; } = new(7);

    /// <summary>Cases run.</summary>
    public int Cases { get; private set; }

    /// <summary>The largest max|Δ| / max|reference|; infinite where a value was not finite.</summary>
    public double Error { get; private set; }

    /// <summary>The first thing that was wrong; null where nothing was.</summary>
    public string? Problem { get; private set; }

    /// <summary>Runs one case.</summary>
    /// <param name="name">What is special about it, for errors.</param>
    /// <param name="record">Its dispatches, on the arrays in <see cref="Arena"/>.</param>
    public void Run(string name, Action<Recorder> record)
    {
        _case = name;
        Cases++;
        if (Arena.Run(name, record) is { } overrun)
            Fail(overrun);
    }

    /// <summary>Compares a result of the case with its reference.</summary>
    /// <param name="what">What it is, for errors.</param>
    /// <param name="reference">What it should be.</param>
    /// <param name="result">What it is.</param>
    /// <param name="slack">How many times the tolerance is allowed.</param>
    public void Compare<T>(string what, double[] reference, ReadOnlySpan<T> result, double slack = 1)
        where T : INumberBase<T>
    {
        var (error, at) = Deviation.Of<double, T>(Reference(reference), result);
        Report(error / slack, string.Create(CultureInfo.InvariantCulture, $"{what} {at} of {reference.Length} is {result[at]}, not {reference[at]:g9}"));
    }

    /// <summary>A reference as it is to be compared: <see cref="Compare"/> does it by itself.</summary>
    public double[] Reference(double[] reference)
    {
        distort?.Invoke(reference);
        return reference;
    }

    /// <summary>Reports an error that was found otherwise.</summary>
    public void Report(double error, string problem)
    {
        Error = Math.Max(Error, error);
        if (!(error <= tolerance))
            Fail(problem);
    }

    public void Dispose() => Arena.Dispose();

    /// <summary>Random values from −1 to 1, and zeros up to <paramref name="padded"/>.</summary>
    public float[] Values(int length, int padded = 0)
    {
        var values = new float[Math.Max(length, padded)];
        for (var i = 0; i < length; i++)
            values[i] = Random.NextSingle() * 2 - 1;
        return values;
    }

    private void Fail(string problem) => Problem ??= $"{_case}: {problem}";
}
