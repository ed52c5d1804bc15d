using System.Numerics.Tensors;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// The parallel form (arXiv:2307.08621, eq. 5): õ = (Q̂ K̂ᵀ ⊙ D) V with D_nm = γ^(n−m) for m ≤ n and 0 above.
/// It begins at the first token and neither reads nor leaves a state.
/// </summary>
internal static class ParallelRetention
{
    // torchscale's bounds of the sum of scores, multiscale_retention.py, parallel_forward.
    private const double LeastScores = 1;
    private const double MostScores = 5e4;

    public static void Apply(in RetentionHead head, Span<double> state, Span<double> output)
    {
        for (var n = 0; n < head.Length; n++)
            Apply(head, n, output.Slice(n * head.ValueSize, head.ValueSize));
    }

    /// <summary>
    /// With A = Q̂ K̂ᵀ ⊙ D and dA = (dÕ Vᵀ) ⊙ D: dV = Aᵀ dÕ, dQ̂ = dA K̂ and dK̂ = dAᵀ Q̂.
    /// </summary>
    public static void Backward(in RetentionHead head, ReadOnlySpan<double> state, Span<double> stateGradient, in RetentionHeadGradient gradient)
    {
        for (var n = 0; n < head.Length; n++)
        {
            for (var m = 0; m <= n; m++)
            {
                var decay = Math.Pow(head.Decay, n - m);
                var score = decay * TensorPrimitives.Dot(head.Query(n), head.Key(m));
                var scoreGradient = decay * TensorPrimitives.Dot(gradient.Output(n), head.Value(m));
                TensorPrimitives.MultiplyAdd(gradient.Output(n), score, gradient.Value(m), gradient.Value(m));
                TensorPrimitives.MultiplyAdd(head.Key(m), scoreGradient, gradient.Query(n), gradient.Query(n));
                TensorPrimitives.MultiplyAdd(head.Query(n), scoreGradient, gradient.Key(m), gradient.Key(m));
            }
        }
    }

    /// <summary>
    /// As torchscale has it: õ_n / clamp(Σ_m |a_nm|, 1, 5·10⁴) with a_nm = γ^(n−m) (q̂_n·k̂_m) / √S_n. The head norm takes the
    /// division away again but for its ε.
    /// </summary>
    public static void ApplyClamped(in RetentionHead head, Span<double> state, Span<double> output)
    {
        for (var n = 0; n < head.Length; n++)
        {
            var sum = output.Slice(n * head.ValueSize, head.ValueSize);
            TensorPrimitives.Divide(sum, Divisor(head, n, Apply(head, n, sum)), sum);
        }
    }

    /// <summary>torchscale detaches the divisor c_n: it is a constant, and dõ_n = do_n / c_n.</summary>
    public static void BackwardClamped(in RetentionHead head, ReadOnlySpan<double> state, Span<double> stateGradient, in RetentionHeadGradient gradient)
    {
        var outputs = gradient.Outputs.ToArray();
        for (var n = 0; n < head.Length; n++)
        {
            var row = outputs.AsSpan(n * head.ValueSize, head.ValueSize);
            TensorPrimitives.Divide(row, Divisor(head, n, Apply(head, n, new double[head.ValueSize])), row);
        }

        Backward(head, state, stateGradient, gradient with { Outputs = outputs });
    }

    /// <summary>Adds õ_n to <paramref name="sum"/> and returns Σ_m |score_nm|.</summary>
    private static double Apply(in RetentionHead head, int n, Span<double> sum)
    {
        var scores = 0.0;
        for (var m = 0; m <= n; m++)
        {
            var score = Math.Pow(head.Decay, n - m) * TensorPrimitives.Dot(head.Query(n), head.Key(m));
            TensorPrimitives.MultiplyAdd(head.Value(m), score, sum, sum);
            scores += Math.Abs(score);
        }

        return scores;
    }

    private static double Divisor(in RetentionHead head, int n, double scores) =>
        Math.Clamp(scores / Math.Sqrt(DecaySum.Of(head.Decay, n)), LeastScores, MostScores);
}
