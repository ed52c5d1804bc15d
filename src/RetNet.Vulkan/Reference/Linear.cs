using System.Collections.Concurrent;
using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>y = W x + b with W [out, in], summed in double precision.</summary>
/// <param name="weight">W, row-major.</param>
/// <param name="bias">b, or null.</param>
/// <param name="inputSize">Length of x.</param>
internal sealed class Linear(float[] weight, float[]? bias, int inputSize)
{
    private readonly int _outputSize = weight.Length / inputSize;

    /// <summary>Maps [T, in] to [T, out].</summary>
    public double[] Apply(double[] x)
    {
        var y = new double[x.Length / inputSize * _outputSize];
        Parallel.ForEach(Partitioner.Create(0, _outputSize), range =>
        {
            var row = new double[inputSize];
            for (var i = range.Item1; i < range.Item2; i++)
                ApplyRow(i, row, x, y);
        });
        return y;
    }

    private void ApplyRow(int i, double[] row, double[] x, double[] y)
    {
        TensorPrimitives.ConvertChecked<float, double>(weight.AsSpan(i * inputSize, inputSize), row);
        for (var token = 0; token * inputSize < x.Length; token++)
            y[token * _outputSize + i] = TensorPrimitives.Dot<double>(row, x.AsSpan(token * inputSize, inputSize)) + (bias?[i] ?? 0);
    }
}
