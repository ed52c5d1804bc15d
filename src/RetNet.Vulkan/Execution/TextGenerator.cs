using System.Diagnostics;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Execution;

/// <summary>Text in, text out, on one session. Not thread-safe.</summary>
/// <param name="session">The sequence that prompt and text are appended to.</param>
/// <param name="tokenizer">The model's tokenizer.</param>
public sealed class TextGenerator(RecurrentSession session, ModelTokenizer tokenizer)
{
    /// <summary>What the last generation took; null before the first has ended.</summary>
    public GenerationStatistics? Statistics { get; private set; }

    /// <summary>
    /// Goes on from a prompt, which itself goes on from what the session has taken in. A piece is returned as soon as no later token can change it; special tokens have no text.
    /// Cancelling ends the text without an exception.
    /// </summary>
    /// <param name="prompt">May be empty where the session has a token to go on from, or the model one that begins a text.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="timings">Where given, kernels of the decoding step are timed into it.</param>
    /// <param name="cancellation">Ends the text before the next token.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="ModelException">The prompt is empty and the model has no token to begin with.</exception>
    public IEnumerable<string> Generate(
        string prompt, GenerationOptions options, KernelTimings? timings = null, CancellationToken cancellation = default)
    {
        options.Sampler.Validate();
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxTokens ?? 0);
        return Generate(Encode(prompt), new StopStrings(options.Stops), options, timings, cancellation);
    }

    private IEnumerable<string> Generate(
        int[] prompt, StopStrings stops, GenerationOptions options, KernelTimings? timings, CancellationToken cancellation)
    {
        var decoder = new StreamingDecoder(tokenizer.Tokenizer, prompt, skipSpecial: true);
        var reason = StopReason.Cancelled;
        var count = 0L;
        var clock = Stopwatch.StartNew();
        TimeSpan? first = null;
        var last = TimeSpan.Zero;
        try
        {
            if (Feed(prompt, cancellation) is not { } rest)
                yield break;
            StopReason? met = null;
            foreach (var token in session.Generate(rest, options.MaxTokens ?? long.MaxValue, options.Sampler, timings, !options.EndsExactly))
            {
                last = clock.Elapsed;
                first ??= last;
                count++;
                var ends = !options.IgnoreEnd && tokenizer.Ends.Contains(token);
                if (!ends && stops.Append(decoder.Append(token)) is { Length: > 0 } piece)
                    yield return piece;
                met = ends ? StopReason.EndOfText
                    : stops.Met ? StopReason.StopString
                    : cancellation.IsCancellationRequested ? StopReason.Cancelled
                    : null;
                if (met is not null)
                    break;
            }

            reason = met ?? StopReason.Length;
            if (stops.Append(decoder.Flush()) + stops.Flush() is { Length: > 0 } end)
                yield return end;
        }
        finally
        {
            Statistics = new GenerationStatistics
            {
                PromptTokens = prompt.Length,
                PromptTime = first ?? clock.Elapsed,
                Tokens = count,
                DecodeTime = last - (first ?? last),
                Reason = reason,
            };
        }
    }

    /// <summary>The tokens to take in; only a session that begins has the model's first token put before them.</summary>
    private int[] Encode(string prompt)
    {
        if (session is { Position: 0, Pending: null })
            return tokenizer.EncodePrompt(prompt);
        int[] tokens = [.. session.Pending is { } pending ? [pending] : Array.Empty<int>(), .. tokenizer.Tokenizer.Encode(prompt)];
        return tokens.Length > 0 ? tokens : throw new ModelException("there is no token to go on from; give a prompt");
    }

    /// <summary>Takes in all but the last piece of the prompt and returns that; null when cancelled.</summary>
    private ReadOnlyMemory<int>? Feed(ReadOnlyMemory<int> prompt, CancellationToken cancellation)
    {
        // A pass between two looks at the cancellation.
        for (var piece = session.PromptPass; !cancellation.IsCancellationRequested; prompt = prompt[piece..])
        {
            if (prompt.Length <= piece)
                return prompt;
            session.Feed(prompt[..piece]);
        }

        return null;
    }
}
