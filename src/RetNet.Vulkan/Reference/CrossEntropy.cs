using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>Cross-entropy of logits with the tokens that were to come.</summary>
internal static class CrossEntropy
{
    /// <summary>
    /// Σ −ln p_n[target_n] with p = softmax(logits), over the targets that count. Times <paramref name="scale"/> it is what is
    /// differentiated: dlogits_n = (p_n − onehot(target_n)) · scale.
    /// </summary>
    /// <param name="logits">[T, V].</param>
    /// <param name="targets">T token ids; a negative one does not count.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <param name="tape">Where the way back begins; null where no gradients are wanted.</param>
    public static double Apply(double[] logits, ReadOnlySpan<int> targets, double scale, Tape? tape)
    {
        var vocabulary = logits.Length / targets.Length;
        var gradient = tape?.Gradient(logits);
        var loss = 0.0;
        for (var n = 0; n < targets.Length; n++)
        {
            var target = targets[n];
            if (target < 0)
                continue;
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(target, vocabulary, nameof(targets));
            var row = logits.AsSpan(n * vocabulary, vocabulary);
            var logSum = LogSumExp(row);
            loss += logSum - row[target];
            if (gradient is not null)
                AddGradient(row, logSum, target, scale, gradient.AsSpan(n * vocabulary, vocabulary));
        }

        return loss;
    }

    private static void AddGradient(ReadOnlySpan<double> logits, double logSum, int target, double scale, Span<double> gradient)
    {
        for (var i = 0; i < logits.Length; i++)
            gradient[i] += scale * Math.Exp(logits[i] - logSum);
        gradient[target] -= scale;
    }

    private static double LogSumExp(ReadOnlySpan<double> row)
    {
        var largest = TensorPrimitives.Max(row);
        var sum = 0.0;
        foreach (var value in row)
            sum += Math.Exp(value - largest);
        return largest + Math.Log(sum);
    }
}
