using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>RMSNorm or LayerNorm of each row: y = w ⊙ x̂ + b with x̂ = u / √(mean(u²) + ε), where u is x or x − mean(x).</summary>
/// <param name="weight">Factors, as long as a row; null for ones.</param>
/// <param name="bias">Summands, or null.</param>
/// <param name="subtractMean">True for LayerNorm.</param>
internal sealed class Norm(float[]? weight, float[]? bias, bool subtractMean)
{
    /// <summary>Normalises rows of <paramref name="size"/> values each.</summary>
    public double[] Apply(double[] x, int size, double eps, Tape? tape = null) => Apply(x, size, _ => eps, tape);

    /// <summary>Normalises rows of <paramref name="size"/> values, each with an ε of its own.</summary>
    public double[] Apply(double[] x, int size, Func<int, double> eps, Tape? tape = null)
    {
        var y = (double[])x.Clone();
        for (var row = 0; row * size < y.Length; row++)
            Apply(y.AsSpan(row * size, size), eps(row));
        tape?.Record(y, dy =>
        {
            var dx = tape.Gradient(x);
            for (var row = 0; row * size < x.Length; row++)
            {
                var normalised = x[(row * size)..((row + 1) * size)];
                var scale = Normalise(normalised, eps(row));
                var gradient = dy.AsSpan(row * size, size);
                AddWeightGradients(normalised, gradient, tape);
                AddInputGradient(normalised, scale, gradient, dx.AsSpan(row * size, size));
            }
        });
        return y;
    }

    /// <summary>Normalises one row in place.</summary>
    public void Apply(Span<double> row, double eps)
    {
        Normalise(row, eps);
        for (var i = 0; i < row.Length; i++)
            row[i] = row[i] * (weight?[i] ?? 1) + (bias?[i] ?? 0);
    }

    /// <summary>Makes x̂ of x and returns 1 / √(mean(u²) + ε).</summary>
    private double Normalise(Span<double> row, double eps)
    {
        if (subtractMean)
            TensorPrimitives.Subtract(row, TensorPrimitives.Sum<double>(row) / row.Length, row);
        var scale = 1 / Math.Sqrt(TensorPrimitives.SumOfSquares<double>(row) / row.Length + eps);
        TensorPrimitives.Multiply(row, scale, row);
        return scale;
    }

    /// <summary>dw = dy ⊙ x̂ and db = dy, summed over the rows.</summary>
    private void AddWeightGradients(ReadOnlySpan<double> normalised, ReadOnlySpan<double> dy, Tape tape)
    {
        if (weight is not null)
            TensorPrimitives.MultiplyAdd(dy, normalised, tape.Gradient(weight), tape.Gradient(weight));
        if (bias is not null)
            TensorPrimitives.Add(tape.Gradient(bias), dy, tape.Gradient(bias));
    }

    /// <summary>du = (g − x̂ · mean(g ⊙ x̂)) / √(mean(u²) + ε) with g = w ⊙ dy; dx is du, or du − mean(du).</summary>
    private void AddInputGradient(ReadOnlySpan<double> normalised, double scale, ReadOnlySpan<double> dy, Span<double> dx)
    {
        var du = dy.ToArray();
        for (var i = 0; i < du.Length; i++)
            du[i] *= weight?[i] ?? 1;
        TensorPrimitives.MultiplyAdd(normalised, -TensorPrimitives.Dot(du, normalised) / du.Length, du, du);
        if (subtractMean)
            TensorPrimitives.Subtract(du, TensorPrimitives.Sum<double>(du) / du.Length, du);
        TensorPrimitives.MultiplyAdd(du, scale, dx, dx);
    }
}
