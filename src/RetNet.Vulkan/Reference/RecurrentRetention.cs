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
            TensorPrimitives.Multiply(state, head.Decay, state);
            OuterProduct.Add(head.Key(n), head.Value(n), 1, state);
            OuterProduct.AddRead(head.Query(n), state, 1, output.Slice(n * head.ValueSize, head.ValueSize));
        }
    }
}
