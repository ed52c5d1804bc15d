using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>Writing to and reading from a retention state [dk, dv].</summary>
internal static class OuterProduct
{
    /// <summary>state += scale · k vᵀ.</summary>
    public static void Add(ReadOnlySpan<double> key, ReadOnlySpan<double> value, double scale, Span<double> state)
    {
        for (var i = 0; i < key.Length; i++)
        {
            var row = state.Slice(i * value.Length, value.Length);
            TensorPrimitives.MultiplyAdd(value, scale * key[i], row, row);
        }
    }

    /// <summary>sum += scale · q state.</summary>
    public static void AddRead(ReadOnlySpan<double> query, ReadOnlySpan<double> state, double scale, Span<double> sum)
    {
        for (var i = 0; i < query.Length; i++)
            TensorPrimitives.MultiplyAdd(state.Slice(i * sum.Length, sum.Length), scale * query[i], sum, sum);
    }

    /// <summary>sum += scale · state v.</summary>
    public static void AddReadByValue(ReadOnlySpan<double> value, ReadOnlySpan<double> state, double scale, Span<double> sum)
    {
        for (var i = 0; i < sum.Length; i++)
            sum[i] += scale * TensorPrimitives.Dot(state.Slice(i * value.Length, value.Length), value);
    }
}
