using System.Diagnostics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Sequences of a <see cref="RecurrentBatch"/>.</summary>
/// <param name="model">The model.</param>
/// <param name="sequences">How many.</param>
/// <param name="stateType">How their states are kept.</param>
/// <param name="randomState">Whether a depth is reached by random states at its position; else by taking in random tokens.</param>
internal sealed class BatchDecoder(RetNetModel model, int sequences, StateType stateType, bool randomState) : IDecoder
{
    private RecurrentBatch? _batch;
    private KernelTimings? _timings;

    public double Decode(int depth, int tokens, KernelTimings? timings = null)
    {
        var batch = Batch(timings);
        var prompt = RandomTokens.Of(model.Config, randomState ? 1 : depth + 1, seed: 1);
        batch.Add([.. Enumerable.Repeat(new SequenceRequest { Prompt = prompt, MaxTokens = tokens, Sampler = SamplerOptions.Greedy }, sequences)]);
        if (depth > 0 && randomState)
            batch.StartAt(depth, seed: 1);
        var start = Stopwatch.GetTimestamp();
        while (batch.Next().Count > 0)
            continue;
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _batch?.Dispose();

    /// <summary>Timings belong to a batch's recording: another one takes its place, never beside it.</summary>
    private RecurrentBatch Batch(KernelTimings? timings)
    {
        if (_batch is not null && timings == _timings)
            return _batch;
        _batch?.Dispose();
        _timings = timings;
        return _batch = new RecurrentBatch(model, sequences, stateType, timings);
    }
}
