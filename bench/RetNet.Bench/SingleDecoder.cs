using System.Diagnostics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>One sequence, as <c>retnet generate</c> decodes it: recorded steps that run ahead of the host.</summary>
/// <param name="model">The model.</param>
/// <param name="stateType">How its state is kept.</param>
/// <param name="randomState">Whether a depth is reached by a random state at its position; else by taking in random tokens.</param>
internal sealed class SingleDecoder(RetNetModel model, StateType stateType, bool randomState) : IDecoder
{
    private readonly RecurrentSession _session = new(model, stateType);

    public double Decode(int depth, int tokens, KernelTimings? timings = null)
    {
        _session.Reset();
        if (depth > 0 && randomState)
            _session.StartAt(depth, seed: 1);
        else if (depth > 0)
            _session.Feed(RandomTokens.Of(model.Config, depth, seed: 1));
        var start = Stopwatch.GetTimestamp();
        foreach (var _ in _session.Generate(RandomTokens.Of(model.Config, 1, seed: 2), tokens, SamplerOptions.Greedy, timings))
            continue;
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _session.Dispose();
}
