using System.Numerics.Tensors;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// How well a model foresees a text: the mean negative log-likelihood of its tokens, −1/N · Σ ln p(x_{n+1} | x_0..x_n), and its
/// exponential. The text is cut into windows that know nothing of each other, as PyTorch evaluations commonly do: window k
/// reads tokens k·W to (k + 1)·W − 1 and foretells the one after each.
/// </summary>
/// <param name="Tokens">Tokens foretold, N.</param>
/// <param name="Sum">Their negative log-likelihoods together, in nats.</param>
public readonly record struct Perplexity(long Tokens, double Sum)
{
    /// <summary>Mean negative log-likelihood in nats a token.</summary>
    public double MeanNll => Sum / Tokens;

    /// <summary>exp of <see cref="MeanNll"/>.</summary>
    public double Value => Math.Exp(MeanNll);

    /// <summary>Evaluates tokens in windows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">The text, two tokens at least.</param>
    /// <param name="window">Tokens that a window reads; the last one may be shorter.</param>
    /// <param name="options">The form of retention.</param>
    /// <param name="progress">Told the result so far after every window.</param>
    /// <param name="cancellation">Looked at between windows.</param>
    /// <exception cref="ArgumentException">There are fewer than two tokens, one is outside the vocabulary, or an option is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Perplexity Evaluate(
        RetNetModel model, ReadOnlyMemory<int> tokens, int window, EvaluationOptions options, IProgress<Perplexity>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        if (tokens.Length < 2)
            throw new ArgumentException($"a text of {tokens.Length} tokens foretells nothing; two are the least");
        using var evaluator = new SequenceEvaluator(model, options, Math.Min(window, tokens.Length - 1));
        var result = default(Perplexity);
        for (var start = 0; start + 1 < tokens.Length; start += window)
        {
            cancellation.ThrowIfCancellationRequested();
            evaluator.Reset();
            var (first, sum) = (start, 0.0);
            var length = Math.Min(window, tokens.Length - 1 - start);
            evaluator.Evaluate(tokens.Slice(start, length), (index, logits) => sum += NegativeLogLikelihood(logits, tokens.Span[first + index + 1]));
            result = new Perplexity(result.Tokens + length, result.Sum + sum);
            progress?.Report(result);
        }

        return result;
    }

    /// <summary>ln Σ exp(l) − l_target.</summary>
    public static double NegativeLogLikelihood(ReadOnlySpan<float> logits, int target)
    {
        double max = TensorPrimitives.Max(logits), sum = 0;
        foreach (var logit in logits)
            sum += Math.Exp(logit - max);
        return max + Math.Log(sum) - logits[target];
    }
}
