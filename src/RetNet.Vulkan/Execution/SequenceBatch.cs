using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Sequences on a model that take in many tokens at once, in the parallel or the chunkwise form. They may be of
/// different lengths and go on from one call to the next; the parallel form within one call takes each of them whole.
/// Not thread-safe; dispose it before the model.
/// </summary>
public sealed class SequenceBatch : IDisposable
{
    private readonly RetNetModel _model;
    private readonly SequenceOptions _options;
    private readonly SequencePass _pass;

    /// <summary>Starts empty sequences.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sequences">How many, at least one.</param>
    /// <param name="options">How tokens are taken in.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="GpuException">f16 is asked for of a device without matrix units.</exception>
    /// <exception cref="ModelException">torchscale's clamp is asked for of a model that is not of its kind.</exception>
    public SequenceBatch(RetNetModel model, int sequences, SequenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        options.Validate();
        if (options.TorchscaleClamp && !model.Config.RetentionEpsScaled)
            throw new ModelException("torchscale's clamp belongs to models whose head norm has torchscale's ε; this one's is plain (retnet.retention.eps_scaled = false)");
        // Refuses before memory is taken.
        _ = Tuning.ProductsOfMany(model.Device.Capabilities, options);
        (_model, _options) = (model, options);
        State = new RetentionState(model.Device, model.Config, options.StateType, sequences);
        _pass = new SequencePass(model, State, options);
        Reset();
    }

    /// <summary>Called with the logits after one token.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="index">The token, counted from the first that was fed in this call.</param>
    /// <param name="logits">[V]; valid during the call only.</param>
    public delegate void LogitsHandler(int sequence, int index, ReadOnlySpan<float> logits);

    /// <summary>The states of all sequences.</summary>
    public RetentionState State { get; }

    /// <summary>Adds what a batch takes of the device's memory to a plan.</summary>
    public static MemoryPlan Plan(RetNetConfig config, int sequences, SequenceOptions options) => new MemoryPlan()
        .Add("state", (ulong)sequences * RetentionState.BytesOf(config, options.StateType))
        .Add("activations", SequencePass.BytesOf(config, options));

    /// <summary>Forgets everything: all sequences are back to position 0.</summary>
    public void Reset() => State.Clear();

    /// <summary>Takes tokens in.</summary>
    /// <param name="tokens">Of each sequence; none is fine.</param>
    /// <param name="logits">Where given, called with the logits after every token, each sequence's in order.</param>
    /// <param name="timings">Where given, kernels are timed into it.</param>
    /// <exception cref="ArgumentException">
    /// A token is outside the vocabulary; or, in the parallel form, a sequence is longer than a pass, or goes on where
    /// torchscale's clamp would need all of its past.
    /// </exception>
    public void Feed(IReadOnlyList<ReadOnlyMemory<int>> tokens, LogitsHandler? logits = null, KernelTimings? timings = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        if (tokens.Count != State.Positions.Count)
            throw new ArgumentException($"tokens for {tokens.Count} sequences were given to a batch of {State.Positions.Count}");
        for (var i = 0; i < tokens.Count; i++)
            Require(i, tokens[i]);

        var done = new int[tokens.Count];
        while (NextPass(tokens, done) is { Count: > 0 } segments)
        {
            var firsts = segments.Select(segment => done[segment.Slot]).ToArray();
            _pass.Run(segments.ToArray(), logits is null ? null : new RowReader(segments, firsts, logits).Read, timings);
            foreach (var segment in segments)
            {
                done[segment.Slot] += segment.Tokens.Length;
                State.SetPosition(segment.Slot, State.Positions[segment.Slot] + segment.Tokens.Length);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pass.Dispose();
        State.Dispose();
    }

    private List<Segment> NextPass(IReadOnlyList<ReadOnlyMemory<int>> tokens, int[] done)
    {
        var segments = new List<Segment>();
        var (rows, chunks) = (0, 0);
        for (var i = 0; i < tokens.Count; i++)
        {
            var left = tokens[i][done[i]..];
            var piece = _pass.Piece(left.Length, rows, chunks);
            if (piece == 0)
                continue;
            segments.Add(new Segment(i, State.Positions[i], left[..piece]));
            rows += piece;
            chunks += _pass.Chunks(piece);
        }

        return segments;
    }

    private void Require(int sequence, ReadOnlyMemory<int> tokens)
    {
        Vocabulary.RequireKnown(tokens.Span, _model.Config);
        if (_options.ChunkLength is null && tokens.Length > _options.PassLength)
            throw new ArgumentException($"the parallel form takes a sequence at once: {tokens.Length} tokens are more than the {_options.PassLength} of a pass");
        if (_options.TorchscaleClamp && State.Positions[sequence] > 0 && tokens.Length > 0)
            throw new ArgumentException("torchscale's clamp needs a sequence from its first token; it cannot go on from a state");
    }

    /// <summary>From a pass's rows back to sequences and their tokens.</summary>
    private sealed class RowReader(List<Segment> segments, int[] firsts, LogitsHandler logits)
    {
        private int _segment;
        private int _start;

        public void Read(int row, ReadOnlySpan<float> values)
        {
            for (; row - _start >= segments[_segment].Tokens.Length; _segment++)
                _start += segments[_segment].Tokens.Length;
            logits(segments[_segment].Slot, firsts[_segment] + row - _start, values);
        }
    }
}
