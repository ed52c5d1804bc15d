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
    /// As torchscale has it: õ_n / clamp(Σ_m |a_nm|, 1, 5·10⁴) with a_nm = γ^(n−m) (q̂_n·k̂_m) / √S_n. The head norm takes the
    /// division away again but for its ε.
    /// </summary>
    public static void ApplyClamped(in RetentionHead head, Span<double> state, Span<double> output)
    {
        for (var n = 0; n < head.Length; n++)
        {
            var sum = output.Slice(n * head.ValueSize, head.ValueSize);
            var scores = Apply(head, n, sum) / Math.Sqrt(DecaySum.Of(head.Decay, n));
            TensorPrimitives.Divide(sum, Math.Clamp(scores, LeastScores, MostScores), sum);
        }
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
}
