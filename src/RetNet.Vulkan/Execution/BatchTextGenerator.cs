using System.Diagnostics;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Execution;

/// <summary>Many texts in, their continuations out: as many at once as a batch has places, a new one wherever one has ended. Not thread-safe.</summary>
/// <param name="batch">Where they are decoded; nothing else may be on it.</param>
/// <param name="tokenizer">The model's tokenizer.</param>
public sealed class BatchTextGenerator(RecurrentBatch batch, ModelTokenizer tokenizer)
{
    /// <summary>What the last generation took; null before the first has ended.</summary>
    public BatchStatistics? Statistics { get; private set; }

    /// <summary>
    /// Goes on from prompts, each as <see cref="TextGenerator"/> does from one; prompt i samples with the seed of the options + i. Cancelling
    /// ends all texts without an exception; those not begun are left out.
    /// </summary>
    /// <param name="prompts">The prompts.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="cancellation">Ends the texts before the next tokens.</param>
    /// <returns>The texts in the order of the prompts, each once it and those before it have ended.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public IEnumerable<BatchText> Generate(IReadOnlyList<string> prompts, GenerationOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        options.Sampler.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxTokens ?? 0);
        return Run(prompts, options, cancellation);
    }

    private IEnumerable<BatchText> Run(IReadOnlyList<string> prompts, GenerationOptions options, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var writers = new List<Writer>();
        var live = new Dictionary<BatchedSequence, Writer>();
        var returned = 0;
        try
        {
            while (returned < prompts.Count && !(cancellation.IsCancellationRequested && returned == writers.Count))
            {
                if (!cancellation.IsCancellationRequested)
                    Begin(prompts, options, writers, live, clock);
                foreach (var (sequence, token, isLast) in batch.Next())
                    if (live.TryGetValue(sequence, out var writer) && writer.Append(token, isLast, clock.Elapsed))
                        End(sequence, live);
                if (cancellation.IsCancellationRequested)
                    Cancel(live, clock.Elapsed);
                for (; returned < writers.Count && writers[returned].Text is { } text; returned++)
                    yield return text;
            }
        }
        finally
        {
            Cancel(live, clock.Elapsed);
            Statistics = new BatchStatistics
            {
                Sequences = writers.Count,
                PromptTokens = writers.Sum(writer => (long)writer.PromptTokens),
                Tokens = writers.Sum(writer => writer.Tokens),
                Time = clock.Elapsed,
                SequenceTime = writers.Aggregate(TimeSpan.Zero, (sum, writer) => sum + writer.Time),
            };
        }
    }

    /// <summary>Fills the free places.</summary>
    private void Begin(IReadOnlyList<string> prompts, GenerationOptions options, List<Writer> writers, Dictionary<BatchedSequence, Writer> live, Stopwatch clock)
    {
        var requests = new List<SequenceRequest>();
        var begun = writers.Count;
        for (var i = begun; i < prompts.Count && requests.Count < batch.Free; i++)
        {
            var prompt = tokenizer.EncodePrompt(prompts[i]);
            writers.Add(new Writer(i, prompt, tokenizer, options));
            if (options.MaxTokens == 0)
                writers[i].End(StopReason.Length);
            else
                requests.Add(new SequenceRequest
                {
                    Prompt = prompt,
                    MaxTokens = options.MaxTokens ?? long.MaxValue,
                    Sampler = options.Sampler with { Seed = unchecked(options.Sampler.Seed + (ulong)i) },
                    Ends = options.IgnoreEnd ? [] : [.. tokenizer.Ends],
                });
        }

        foreach (var (sequence, writer) in batch.Add(requests).Zip(writers.Skip(begun)))
        {
            writer.Begin(clock.Elapsed);
            live.Add(sequence, writer);
        }
    }

    private void End(BatchedSequence sequence, Dictionary<BatchedSequence, Writer> live)
    {
        live.Remove(sequence);
        batch.Stop(sequence);
    }

    private void Cancel(Dictionary<BatchedSequence, Writer> live, TimeSpan now)
    {
        foreach (var (sequence, writer) in live)
        {
            writer.End(StopReason.Cancelled, now);
            batch.Stop(sequence);
        }

        live.Clear();
    }

    /// <summary>A text while it is written.</summary>
    private sealed class Writer(int index, int[] prompt, ModelTokenizer tokenizer, GenerationOptions options)
    {
        private readonly StreamingDecoder _decoder = new(tokenizer.Tokenizer, prompt, skipSpecial: true);
        private readonly StopStrings _stops = new(options.Stops);
        private readonly System.Text.StringBuilder _text = new();
        private TimeSpan _began;

        public int PromptTokens => prompt.Length;

        public long Tokens { get; private set; }

        /// <summary>From when its prompt was taken in until it ended.</summary>
        public TimeSpan Time { get; private set; }

        /// <summary>The whole; null until it has ended.</summary>
        public BatchText? Text { get; private set; }

        public void Begin(TimeSpan now) => _began = now;

        /// <summary>Takes a token.</summary>
        /// <returns>Whether the text has ended with it.</returns>
        public bool Append(int token, bool isLast, TimeSpan now)
        {
            Tokens++;
            var ends = !options.IgnoreEnd && tokenizer.Ends.Contains(token);
            if (!ends)
                _text.Append(_stops.Append(_decoder.Append(token)));
            if (ends || _stops.Met || isLast)
                End(ends ? StopReason.EndOfText : _stops.Met ? StopReason.StopString : StopReason.Length, now);
            return Text is not null;
        }

        public void End(StopReason reason, TimeSpan now = default)
        {
            _text.Append(_stops.Append(_decoder.Flush())).Append(_stops.Flush());
            Time = now - _began;
            Text = new(index, _text.ToString(), reason, Tokens);
        }
    }
}
