using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// The recurrent form (Sun et al. 2023, arXiv:2307.08621, eq. 6): S_n = γ S_{n−1} + k̂_n v_nᵀ, õ_n = q̂_n S_n.
/// </summary>
internal static class RecurrentRetention
{
    public static void Apply(in RetentionHead head, Span<double> state, Span<double> output)
    {
        for (var n = 0; n < head.Length; n++)
        {
            Step(head, n, state);
            OuterProduct.AddRead(head.Query(n), state, 1, output.Slice(n * head.ValueSize, head.ValueSize));
        }
    }

    /// <summary>
    /// From the last token to the first, where dS_n begins as γ dS_{n+1}: dq̂_n = S_n dõ_n, dS_n += q̂_n dõ_nᵀ, dk̂_n = dS_n v_n and dv_n = dS_nᵀ k̂_n.
    /// </summary>
    public static void Backward(in RetentionHead head, ReadOnlySpan<double> state, Span<double> stateGradient, in RetentionHeadGradient gradient)
    {
        var states = States(head, state);
        for (var n = head.Length - 1; n >= 0; n--)
        {
            OuterProduct.AddReadByValue(gradient.Output(n), states[n], 1, gradient.Query(n));
            OuterProduct.Add(head.Query(n), gradient.Output(n), 1, stateGradient);
            OuterProduct.AddReadByValue(head.Value(n), stateGradient, 1, gradient.Key(n));
            OuterProduct.AddRead(head.Key(n), stateGradient, 1, gradient.Value(n));
            TensorPrimitives.Multiply(stateGradient, head.Decay, stateGradient);
        }
    }

    /// <summary>S_n after each token.</summary>
    private static double[][] States(in RetentionHead head, ReadOnlySpan<double> state)
    {
        var states = new double[head.Length][];
        for (var n = 0; n < head.Length; n++)
        {
            states[n] = n == 0 ? state.ToArray() : (double[])states[n - 1].Clone();
            Step(head, n, states[n]);
        }

        return states;
    }

    private static void Step(in RetentionHead head, int n, Span<double> state)
    {
        TensorPrimitives.Multiply(state, head.Decay, state);
        OuterProduct.Add(head.Key(n), head.Value(n), 1, state);
    }
}
