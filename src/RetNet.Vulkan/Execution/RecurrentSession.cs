using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// One sequence on a model: its state, its tokens, and the recorded steps that advance it one token at a time. Memory
/// is taken once; neither it nor the cost of a token grows with the sequence. Not thread-safe; dispose it before the model.
/// </summary>
public sealed class RecurrentSession : IDisposable
{
    /// <summary>Tokens that go in step by step sooner than the kernels for many would be built.</summary>
    private const int ShortFeed = 8;

    private readonly RetNetModel _model;
    private readonly RecurrentStep _step;
    private readonly Recording _feedStep;
    private readonly Recording _decodingStep;
    private readonly StepPipeline _pipeline;
    private SequencePass? _prompt;

    /// <summary>Starts an empty sequence.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stateType">How the device keeps the state.</param>
    public RecurrentSession(RetNetModel model, StateType stateType = StateType.F32)
    {
        _model = model;
        State = new RetentionState(model.Device, model.Config, stateType);
        _step = new RecurrentStep(model, State);
        _feedStep = model.Device.Record("feeding step", _step.RecordLayers);
        _decodingStep = model.Device.Record("decoding step", _step.Record);
        _pipeline = new StepPipeline(model.Device, _decodingStep);
        Reset();
    }

    /// <summary>Tokens that the state has taken in.</summary>
    public long Position
    {
        get => State.Positions[0];
        private set => State.SetPosition(0, value);
    }

    /// <summary>The token that comes next and that the state has not taken in: the one sampled last; null after <see cref="Feed"/>.</summary>
    public int? Pending { get; private set; }

    /// <summary>The retention state.</summary>
    public RetentionState State { get; }

    /// <summary>What the model computes.</summary>
    public RetNetConfig Config => _model.Config;

    /// <summary>Tokens that <see cref="Feed"/> takes in at once.</summary>
    internal int PromptPass => PromptOptions.PassLength;

    private SequenceOptions PromptOptions => SequenceOptions.ForPrompts(_model.Device.Capabilities, _model.WeightType);

    /// <summary>Adds what a session takes of the device's memory to a plan.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config, StateType stateType = StateType.F32) => new MemoryPlan()
        .Add("state", RetentionState.BytesOf(config, stateType))
        .Add("activations", RecurrentStep.BytesOf(device, config, sequences: 1) + SequencePass.PromptBytes(device, config));

    /// <summary>Forgets everything: back to position 0.</summary>
    public void Reset()
    {
        State.Clear();
        SetEntry(SamplerOptions.Greedy);
        Pending = null;
    }

    /// <summary>Goes to a position with a random state, for measurements: as if so many tokens had been taken in.</summary>
    internal void StartAt(long position, uint seed)
    {
        State.FillRandom(seed);
        (Position, Pending) = (position, null);
        SetEntry(SamplerOptions.Greedy);
    }

    /// <summary>Takes tokens in, many at once, without computing logits.</summary>
    /// <exception cref="ArgumentException">A token is outside the vocabulary.</exception>
    public void Feed(ReadOnlyMemory<int> tokens)
    {
        Vocabulary.RequireKnown(tokens.Span, _model.Config);
        if (_prompt is null && tokens.Length <= ShortFeed)
            FeedSteps(tokens.Span);
        else
            FeedChunks(tokens);
        Pending = null;
    }

    /// <summary>Takes tokens in and returns the logits after each: [tokens][V].</summary>
    /// <exception cref="ArgumentException">A token is outside the vocabulary.</exception>
    public float[][] Logits(ReadOnlySpan<int> tokens)
    {
        Vocabulary.RequireKnown(tokens, _model.Config);
        using var read = _model.Device.Allocate("logits", (ulong)_model.Config.VocabularySize * sizeof(float), MemoryPlacement.Readback);
        using var step = _model.Device.Record("logits step", recorder =>
        {
            _step.RecordLayers(recorder);
            _step.RecordLogits(recorder);
            _step.CopyLogits(recorder, read);
        });
        var logits = new float[tokens.Length][];
        for (var i = 0; i < tokens.Length; i++)
        {
            Log[0, Position++] = tokens[i];
            _model.Device.Wait(_model.Device.Submit(step));
            logits[i] = read.AsSpan<float>().ToArray();
        }

        Pending = null;
        return logits;
    }

    /// <summary>
    /// Takes the prompt in and samples up to <paramref name="count"/> tokens. The device runs ahead of the reader by up to
    /// two submissions of about 10 ms; when the enumeration stops early, the sequence has taken those tokens in as well.
    /// </summary>
    /// <param name="prompt">At least one token.</param>
    /// <param name="count">Tokens to sample at most.</param>
    /// <param name="options">How to sample.</param>
    /// <param name="timings">Where given, kernels are timed into it; nothing runs ahead then.</param>
    /// <param name="runAhead">Whether the device may run ahead; without it the sequence ends at the last token returned.</param>
    /// <exception cref="ArgumentException">The prompt is empty, a token is outside the vocabulary, or an option is out of range.</exception>
    /// <exception cref="GpuException">Logits are no numbers; only <see cref="Reset"/> makes the session usable again.</exception>
    public IEnumerable<int> Generate(ReadOnlyMemory<int> prompt, long count, SamplerOptions options, KernelTimings? timings = null, bool runAhead = true)
    {
        options.Validate();
        if (prompt.IsEmpty)
            throw new ArgumentException("the prompt has no token");
        Vocabulary.RequireKnown(prompt.Span, _model.Config);
        return Decode(prompt, count, options, timings, runAhead);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _prompt?.Dispose();
        _decodingStep.Dispose();
        _feedStep.Dispose();
        _step.Dispose();
        State.Dispose();
    }

    /// <summary>Copies all that the session is; nothing may be generating on it.</summary>
    internal SavedSession Snapshot(SamplerOptions sampler)
    {
        var end = Position + (Pending is null ? 0 : 1);
        var first = Math.Max(end - TokenLog.Capacity, 0);
        return new SavedSession
        {
            Position = Position,
            IsPending = Pending is not null,
            RecentTokens = [.. Enumerable.Range(0, (int)(end - first)).Select(i => Log[0, first + i])],
            Sampler = sampler,
            Layers = [.. Enumerable.Range(0, _model.Config.Layers).Select(layer => State.Read(layer))],
        };
    }

    /// <summary>Puts the session where another one was, which must be valid for this model.</summary>
    internal void Restore(SavedSession saved)
    {
        (Position, Pending) = (saved.Position, saved.IsPending ? saved.RecentTokens[^1] : null);
        for (var layer = 0; layer < saved.Layers.Length; layer++)
            State.Write(layer, saved.Layers[layer]);
        var first = saved.End - saved.RecentTokens.Length;
        for (var i = 0; i < saved.RecentTokens.Length; i++)
            Log[0, first + i] = saved.RecentTokens[i];
        SetEntry(saved.Sampler);
    }

    private TokenLog Log => _step.Log;

    private void FeedSteps(ReadOnlySpan<int> tokens)
    {
        if (tokens.IsEmpty)
            return;
        foreach (var token in tokens)
            Log[0, Position++] = token;
        _model.Device.Wait(_model.Device.Submit(_feedStep, tokens.Length));
    }

    private void FeedChunks(ReadOnlyMemory<int> tokens)
    {
        _prompt ??= new SequencePass(_model, State, PromptOptions);
        while (!tokens.IsEmpty)
        {
            var piece = tokens[.._prompt.Piece(tokens.Length, 0, 0)];
            _prompt.Run([new Segment(0, Position, piece)]);
            foreach (var token in piece.Span)
                Log[0, Position++] = token;
            tokens = tokens[piece.Length..];
        }

        SetEntry(SamplerOptions.Greedy);
    }

    /// <summary>Tells the device where the sequence is and how it samples.</summary>
    private void SetEntry(SamplerOptions options)
    {
        _step.Table.Set(0, Position, SequenceTable.Unlimited, SamplerEntry.Of(options));
        _step.Table.Upload(0);
    }

    private IEnumerable<int> Decode(ReadOnlyMemory<int> prompt, long count, SamplerOptions options, KernelTimings? timings, bool runAhead)
    {
        Feed(prompt[..^1]);
        Log[0, Position] = prompt.Span[^1];
        Pending = prompt.Span[^1];
        SetEntry(options);
        using var timedStep = timings is null ? null : _model.Device.Record("timed decoding step", _step.Record, timings);
        var pipeline = runAhead && timings is null ? _pipeline : new StepPipeline(_model.Device, timedStep ?? _decodingStep, runAhead: false);
        long submitted = 0, read = 0;
        try
        {
            while (read < count)
            {
                while (submitted < count && pipeline.HasRoom)
                    submitted += pipeline.Submit(count - submitted);
                var steps = pipeline.Wait();
                timings?.Read();
                for (; steps > 0; steps--)
                {
                    TakeSampled();
                    read++;
                    yield return Pending!.Value;
                }
            }
        }
        finally
        {
            while (!pipeline.IsEmpty)
                pipeline.Wait();
            // Logits that are no numbers have ended the sequence on the device.
            for (; read < submitted && Log.HasToken(0, Position + 1); read++)
                TakeSampled();
        }
    }

    private void TakeSampled()
    {
        Pending = Log.Sampled(0, Position + 1);
        Position++;
    }
}
