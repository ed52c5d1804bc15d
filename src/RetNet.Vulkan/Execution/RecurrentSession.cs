using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// One sequence on a model: its state, its tokens, and the recorded steps that advance it one token at a time. Memory
/// is taken once; neither it nor the cost of a token grows with the sequence. Not thread-safe; dispose it before the model.
/// </summary>
public sealed class RecurrentSession : IDisposable
{
    /// <summary>Decoding steps that may be submitted before the first one's token is read.</summary>
    private const int StepsAhead = 3;

    /// <summary>Prompt tokens a submission takes; bounds the work of one submission on slow devices.</summary>
    private const int PromptChunk = 32;

    private readonly RetNetModel _model;
    private readonly Activations _activations;
    private readonly RecurrentStep _step;
    private readonly TokenLog _log;
    private readonly Recording _promptStep;

    /// <summary>Starts an empty sequence.</summary>
    public RecurrentSession(RetNetModel model)
    {
        _model = model;
        var tuning = Tuning.For(model.Device.Capabilities);
        State = new RetentionState(model.Device, model.Config);
        _log = new TokenLog(model.Device);
        _activations = new Activations(model.Device, model.Config, HeadTiles(model.Device, model.Config));
        _step = new RecurrentStep(model, State, _log, _activations, tuning);
        _promptStep = model.Device.Record("prompt step", _step.RecordLayers);
        Reset();
    }

    /// <summary>Tokens that the state has taken in.</summary>
    public long Position { get; private set; }

    /// <summary>The retention state.</summary>
    public RetentionState State { get; }

    /// <summary>Adds what a session takes of the device's memory to a plan.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config) => new MemoryPlan()
        .Add("state", RetentionState.BytesOf(config))
        .Add("activations", Activations.BytesOf(config, HeadTiles(device, config)) + TokenLog.Bytes);

    /// <summary>Forgets everything: back to position 0.</summary>
    public void Reset()
    {
        _model.Device.Run("reset", recorder =>
        {
            State.Clear(recorder);
            _activations.Clear(recorder);
        });
        Position = 0;
    }

    /// <summary>Takes tokens in, without computing logits.</summary>
    /// <exception cref="ArgumentException">A token is outside the vocabulary.</exception>
    public void Feed(ReadOnlySpan<int> tokens)
    {
        RequireKnown(tokens);
        ulong last = 0, beforeLast = 0;
        for (; !tokens.IsEmpty; tokens = tokens[Math.Min(PromptChunk, tokens.Length)..])
        {
            var chunk = tokens[..Math.Min(PromptChunk, tokens.Length)];
            foreach (var token in chunk)
                _log[Position++] = token;
            // The ring holds many chunks: two in flight keep the device busy and the host far from overtaking it.
            _model.Device.Wait(beforeLast);
            (beforeLast, last) = (last, _model.Device.Submit(_promptStep, chunk.Length));
        }

        _model.Device.Wait(last);
    }

    /// <summary>Takes tokens in and returns the logits after each: [tokens][V].</summary>
    /// <exception cref="ArgumentException">A token is outside the vocabulary.</exception>
    public float[][] Logits(ReadOnlySpan<int> tokens)
    {
        RequireKnown(tokens);
        using var step = _model.Device.Record("logits step", recorder =>
        {
            _step.RecordLayers(recorder);
            _step.RecordLogits(recorder);
        });
        var logits = new float[tokens.Length][];
        for (var i = 0; i < tokens.Length; i++)
        {
            _log[Position++] = tokens[i];
            _model.Device.Wait(_model.Device.Submit(step));
            _activations.ReadLogits(_model.Device, logits[i] = new float[_model.Config.VocabularySize]);
        }

        return logits;
    }

    /// <summary>
    /// Takes the prompt in and samples up to <paramref name="count"/> tokens, each as soon as it is there. The device
    /// runs ahead of the reader by up to <see cref="StepsAhead"/> tokens; when the enumeration stops early, the
    /// sequence has taken those in as well.
    /// </summary>
    /// <param name="prompt">At least one token.</param>
    /// <param name="count">Tokens to sample at most.</param>
    /// <param name="options">How to sample.</param>
    /// <param name="timings">Where given, kernels are timed into it; nothing runs ahead then.</param>
    /// <exception cref="ArgumentException">The prompt is empty, a token is outside the vocabulary, or an option is out of range.</exception>
    public IEnumerable<int> Generate(ReadOnlyMemory<int> prompt, long count, SamplerOptions options, KernelTimings? timings = null)
    {
        options.Validate();
        if (prompt.IsEmpty)
            throw new ArgumentException("the prompt has no token");
        RequireKnown(prompt.Span);
        return Decode(prompt, count, options, timings);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _promptStep.Dispose();
        _step.Dispose();
        _activations.Dispose();
        _log.Dispose();
        State.Dispose();
    }

    private static int HeadTiles(GpuDevice device, RetNetConfig config) =>
        Tuning.For(device.Capabilities).RetentionTiles(RetentionState.VectorsOf(config));

    private IEnumerable<int> Decode(ReadOnlyMemory<int> prompt, long count, SamplerOptions options, KernelTimings? timings)
    {
        var device = _model.Device;
        Feed(prompt.Span[..^1]);
        _log[Position] = prompt.Span[^1];
        using var step = device.Record("decoding step", recorder =>
        {
            _step.RecordLayers(recorder);
            _step.RecordLogits(recorder);
            _step.RecordSample(recorder, options);
        }, timings);
        var running = new Queue<ulong>();
        try
        {
            for (long read = 0, submitted = 0; read < count; read++)
            {
                for (; submitted < count && submitted < read + (timings is null ? StepsAhead : 1); submitted++)
                    running.Enqueue(device.Submit(step));
                device.Wait(running.Dequeue());
                timings?.Read();
                yield return _log[++Position];
            }
        }
        finally
        {
            for (; running.TryDequeue(out var value); Position++)
                device.Wait(value);
        }
    }

    private void RequireKnown(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
            if ((uint)token >= (uint)_model.Config.VocabularySize)
                throw new ArgumentException($"token {token} is outside the vocabulary of {_model.Config.VocabularySize}");
    }
}
