using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// The chunkwise form (arXiv:2307.08621, eq. 7) of one chunk of C tokens that follows the state S:
/// õ_i = Σ_{j≤i} γ^(i−j) (q̂_i·k̂_j) v_j + γ^(i+1) q̂_i S, and S' = γ^C S + Σ_j γ^(C−1−j) k̂_j v_jᵀ.
/// </summary>
internal static class ChunkwiseRetention
{
    public static void Apply(in RetentionHead head, Span<double> state, Span<double> output)
    {
        ParallelRetention.Apply(head, [], output);
        for (var i = 0; i < head.Length; i++)
        {
            var sum = output.Slice(i * head.ValueSize, head.ValueSize);
            OuterProduct.AddRead(head.Query(i), state, Math.Pow(head.Decay, i + 1), sum);
        }

        TensorPrimitives.Multiply(state, Math.Pow(head.Decay, head.Length), state);
        for (var j = 0; j < head.Length; j++)
            OuterProduct.Add(head.Key(j), head.Value(j), Math.Pow(head.Decay, head.Length - 1 - j), state);
    }

    /// <summary>
    /// Besides what the parallel form gives inside the chunk: dk̂_j += γ^(C−1−j) dS' v_j and dv_j += γ^(C−1−j) dS'ᵀ k̂_j from the state that
    /// the chunk leaves, dq̂_i += γ^(i+1) S dõ_i from the one that it reads, whose gradient is dS = γ^C dS' + Σ_i γ^(i+1) q̂_i dõ_iᵀ.
    /// </summary>
    public static void Backward(in RetentionHead head, ReadOnlySpan<double> state, Span<double> stateGradient, in RetentionHeadGradient gradient)
    {
        ParallelRetention.Backward(head, [], [], gradient);
        for (var j = 0; j < head.Length; j++)
        {
            var decay = Math.Pow(head.Decay, head.Length - 1 - j);
            OuterProduct.AddReadByValue(head.Value(j), stateGradient, decay, gradient.Key(j));
            OuterProduct.AddRead(head.Key(j), stateGradient, decay, gradient.Value(j));
        }

        TensorPrimitives.Multiply(stateGradient, Math.Pow(head.Decay, head.Length), stateGradient);
        for (var i = 0; i < head.Length; i++)
        {
            var decay = Math.Pow(head.Decay, i + 1);
            OuterProduct.AddReadByValue(gradient.Output(i), state, decay, gradient.Query(i));
            OuterProduct.Add(head.Query(i), gradient.Output(i), decay, stateGradient);
        }
    }
}
