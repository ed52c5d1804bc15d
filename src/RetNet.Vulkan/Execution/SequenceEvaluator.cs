using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>One sequence after the other in any of the three forms: the logits after every token. Not thread-safe; dispose it before the model.</summary>
public sealed class SequenceEvaluator : IDisposable
{
    /// <summary>Tokens whose logits the recurrent form keeps at once.</summary>
    private const int RecurrentPiece = 16;

    private readonly RecurrentSession? _session;
    private readonly SequenceBatch? _batch;

    /// <summary>Takes the memory for sequences of up to <paramref name="longest"/> tokens; only the parallel form's grows with them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">The form.</param>
    /// <param name="longest">Tokens that are evaluated at once at most; the parallel form takes 65,535 at most.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="GpuException">The memory is not there.</exception>
    public SequenceEvaluator(RetNetModel model, EvaluationOptions options, int longest)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(model);
        options.Validate();
        if (options.Mode == ComputationMode.Recurrent)
            _session = new RecurrentSession(model, options.StateType);
        else
            _batch = new SequenceBatch(model, 1, options.Sequence(longest));
    }

    /// <summary>Called with the logits after one token.</summary>
    /// <param name="index">The token, counted from the first of this call.</param>
    /// <param name="logits">[V]; valid during the call only.</param>
    public delegate void LogitsHandler(int index, ReadOnlySpan<float> logits);

    /// <summary>The state after the last token.</summary>
    public RetentionState State => _session?.State ?? _batch!.State;

    /// <summary>Adds what an evaluator takes of the device's memory to a plan.</summary>
    public static MemoryPlan Plan(GpuDevice device, RetNetConfig config, EvaluationOptions options, int longest) =>
        options.Mode == ComputationMode.Recurrent ? RecurrentSession.Plan(device, config, options.StateType) : SequenceBatch.Plan(config, 1, options.Sequence(longest));

    /// <summary>Forgets the sequence: the next tokens begin another.</summary>
    public void Reset()
    {
        _session?.Reset();
        _batch?.Reset();
    }

    /// <summary>Takes tokens in that follow what came before.</summary>
    /// <exception cref="ArgumentException">A token is outside the vocabulary, or the form cannot take so many.</exception>
    public void Evaluate(ReadOnlyMemory<int> tokens, LogitsHandler logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (_batch is not null)
            _batch.Feed([tokens], (_, index, values) => logits(index, values));
        for (var start = 0; _session is not null && start < tokens.Length; start += RecurrentPiece)
        {
            var rows = _session.Logits(tokens.Span.Slice(start, Math.Min(RecurrentPiece, tokens.Length - start)));
            for (var i = 0; i < rows.Length; i++)
                logits(start + i, rows[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session?.Dispose();
        _batch?.Dispose();
    }
}
