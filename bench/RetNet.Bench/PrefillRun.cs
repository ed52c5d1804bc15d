using System.Diagnostics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Prompts of equal length that are taken in together, without logits.</summary>
internal sealed class PrefillRun : IDisposable
{
    /// <summary>Tokens of a pass at most: more gain nothing and take memory.</summary>
    private const int LongestPass = 16384;

    /// <summary>Seconds that one submission may take by the device's measured speed: drivers end what runs too long.</summary>
    private const double LongestSubmission = 1;

    private readonly SequenceBatch _batch;
    private readonly ReadOnlyMemory<int>[] _prompts;

    public PrefillRun(RetNetModel model, int batch, int prompt, SequenceOptions options)
    {
        _batch = new SequenceBatch(model, batch, options);
        // One prompt for all of them: nothing depends on what the tokens are.
        _prompts = [.. Enumerable.Repeat<ReadOnlyMemory<int>>(RandomTokens.Of(model.Config, prompt, seed: 3), batch)];
    }

    /// <summary>Passes as long as the prompts together, where memory, the largest allocation and the time of a submission allow.</summary>
    public static SequenceOptions Options(RetNetModel model, StateType stateType, int batch, int prompt, double tokensPerSecond)
    {
        var (device, config) = (model.Device, model.Config);
        var wanted = Math.Min((long)batch * prompt, LongestPass);
        if (device.Capabilities.Kind != DeviceKind.Cpu)
            wanted = (long)Math.Min(wanted, Math.Max(tokensPerSecond * LongestSubmission, SequenceOptions.DefaultPassLength));
        var options = SequenceOptions.ForPrompts(device.Capabilities, model.WeightType, stateType) with { PassLength = (int)wanted };
        while (options.PassLength > SequenceOptions.DefaultPassLength && !Fits(device, config, options, batch))
            options = options with { PassLength = Math.Max(options.PassLength / 2, SequenceOptions.DefaultPassLength) };
        return options;
    }

    /// <summary>Takes the prompts in, from nothing.</summary>
    /// <returns>Seconds.</returns>
    public double Run(KernelTimings? timings = null)
    {
        _batch.Reset();
        var start = Stopwatch.GetTimestamp();
        _batch.Feed(_prompts, timings: timings);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _batch.Dispose();

    private static bool Fits(GpuDevice device, RetNetConfig config, SequenceOptions options, int batch) =>
        SequencePass.BytesOf(config, options) <= device.Capabilities.MaxAllocationBytes && SequenceBatch.Plan(config, batch, options).Bytes <= device.AvailableBytes;
}
