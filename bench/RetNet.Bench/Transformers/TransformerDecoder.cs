using System.Diagnostics;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Transformers;

/// <summary>Sequences of a Transformer that decode together, recorded steps that run ahead of the host like a RetNet's.</summary>
internal sealed class TransformerDecoder : IDecoder
{
    private readonly RetNetModel _model;
    private readonly TransformerStep _step;
    private readonly Recording _recording;
    private readonly StepPipeline _pipeline;
    private readonly int _sequences;
    private readonly long _capacity;

    /// <summary>Takes the memory and fills the cache with random keys and values: what they are changes no speed.</summary>
    /// <param name="model">A model of a <see cref="TransformerShape"/>.</param>
    /// <param name="sequences">Sequences at once, as many as a RetNet decodes at most.</param>
    /// <param name="capacity">Positions of the cache: the depth and the tokens decoded from there.</param>
    /// <exception cref="GpuException">So many are not decoded together, or do not fit.</exception>
    public TransformerDecoder(RetNetModel model, int sequences, long capacity)
    {
        if (sequences > RecurrentBatch.MostSequences)
            throw new GpuException($"at most {RecurrentBatch.MostSequences} sequences are decoded together");
        TransformerStep.Plan(model.Device, model.Config, sequences, capacity).EnsureFits(model.Device, "Decoding", "Choose a smaller batch, a shorter context or another device.");
        (_model, _sequences, _capacity) = (model, sequences, capacity);
        _step = new TransformerStep(model, sequences, capacity);
        _step.Cache.FillRandom(model.Device, seed: 1);
        _recording = model.Device.Record("decoding step", _step.Record);
        _pipeline = new StepPipeline(model.Device, _recording);
    }

    public double Decode(int depth, int tokens, KernelTimings? timings = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)depth + tokens, _capacity);
        StartAt(depth);
        using var timed = timings is null ? null : _model.Device.Record("timed decoding step", _step.Record, timings);
        var pipeline = timed is null ? _pipeline : new StepPipeline(_model.Device, timed, runAhead: false);
        var start = Stopwatch.GetTimestamp();
        long submitted = 0, position = depth;
        while (position < depth + tokens)
        {
            while (submitted < tokens && pipeline.HasRoom)
                submitted += pipeline.Submit(tokens - submitted);
            var steps = pipeline.Wait();
            timings?.Read();
            for (; steps > 0; steps--)
                Read(++position);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose()
    {
        _recording.Dispose();
        _step.Dispose();
    }

    private void StartAt(int depth)
    {
        var token = RandomTokens.Of(_model.Config, 1, seed: 2)[0];
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            _step.Log[sequence, depth] = token;
            _step.Table.Set(sequence, depth, SequenceTable.Unlimited, SamplerEntry.Of(SamplerOptions.Greedy));
        }

        _step.Table.Upload(Enumerable.Range(0, _sequences));
    }

    /// <summary>Reads a token of every sequence.</summary>
    private void Read(long position)
    {
        for (var sequence = 0; sequence < _sequences; sequence++)
            _step.Log.Sampled(sequence, position);
    }
}
