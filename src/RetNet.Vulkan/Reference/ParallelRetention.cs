using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// The parallel form (arXiv:2307.08621, eq. 5): õ = (Q̂ K̂ᵀ ⊙ D) V with D_nm = γ^(n−m) for m ≤ n and 0 above.
/// It begins at the first token and neither reads nor leaves a state.
/// </summary>
internal static class ParallelRetention
{
    public static void Apply(in RetentionHead head, Span<double> state, Span<double> output)
    {
        for (var n = 0; n < head.Length; n++)
        {
            var sum = output.Slice(n * head.ValueSize, head.ValueSize);
            for (var m = 0; m <= n; m++)
            {
                var score = Math.Pow(head.Decay, n - m) * TensorPrimitives.Dot(head.Query(n), head.Key(m));
                TensorPrimitives.MultiplyAdd(head.Value(m), score, sum, sum);
            }
        }
    }
}
