using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>RMSNorm or LayerNorm of each row.</summary>
/// <param name="weight">Factors, as long as a row; null for ones.</param>
/// <param name="bias">Summands, or null.</param>
/// <param name="subtractMean">True for LayerNorm.</param>
internal sealed class Norm(float[]? weight, float[]? bias, bool subtractMean)
{
    /// <summary>Normalises rows of <paramref name="size"/> values each.</summary>
    public double[] Apply(double[] x, int size, double eps)
    {
        var y = (double[])x.Clone();
        for (var start = 0; start < y.Length; start += size)
            Apply(y.AsSpan(start, size), eps);
        return y;
    }

    /// <summary>Normalises one row in place.</summary>
    public void Apply(Span<double> row, double eps)
    {
        if (subtractMean)
            TensorPrimitives.Subtract(row, TensorPrimitives.Sum<double>(row) / row.Length, row);
        var scale = 1 / Math.Sqrt(TensorPrimitives.SumOfSquares<double>(row) / row.Length + eps);
        for (var i = 0; i < row.Length; i++)
            row[i] = row[i] * scale * (weight?[i] ?? 1) + (bias?[i] ?? 0);
    }
}
