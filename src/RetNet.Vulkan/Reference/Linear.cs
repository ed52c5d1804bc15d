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
    public double[] Apply(double[] x, Tape? tape = null)
    {
        var y = new double[x.Length / inputSize * _outputSize];
        Parallel.ForEach(Partitioner.Create(0, _outputSize), range =>
        {
            var row = new double[inputSize];
            for (var i = range.Item1; i < range.Item2; i++)
                ApplyRow(i, row, x, y);
        });
        tape?.Record(y, dy =>
        {
            AddInputGradient(dy, tape.Gradient(x));
            AddWeightGradient(x, dy, tape.Gradient(weight));
            if (bias is not null)
                AddBiasGradient(dy, tape.Gradient(bias));
        });
        return y;
    }

    private void ApplyRow(int i, double[] row, double[] x, double[] y)
    {
        ReadRow(i, row);
        for (var token = 0; token * inputSize < x.Length; token++)
            y[token * _outputSize + i] = TensorPrimitives.Dot<double>(row, Input(x, token)) + (bias?[i] ?? 0);
    }

    /// <summary>dx = Wᵀ dy of every token.</summary>
    private void AddInputGradient(double[] dy, double[] dx) => Parallel.ForEach(Partitioner.Create(0, dy.Length / _outputSize), range =>
    {
        var row = new double[inputSize];
        for (var i = 0; i < _outputSize; i++)
        {
            ReadRow(i, row);
            for (var token = range.Item1; token < range.Item2; token++)
                TensorPrimitives.MultiplyAdd(row, dy[token * _outputSize + i], Input(dx, token), Input(dx, token));
        }
    });

    /// <summary>dW = Σ dy xᵀ over the tokens.</summary>
    private void AddWeightGradient(double[] x, double[] dy, double[] gradient) => Parallel.For(0, _outputSize, i =>
    {
        var row = gradient.AsSpan(i * inputSize, inputSize);
        for (var token = 0; token * inputSize < x.Length; token++)
            TensorPrimitives.MultiplyAdd(Input(x, token), dy[token * _outputSize + i], row, row);
    });

    /// <summary>db = Σ dy over the tokens.</summary>
    private void AddBiasGradient(double[] dy, double[] gradient)
    {
        for (var start = 0; start < dy.Length; start += _outputSize)
            TensorPrimitives.Add(gradient, dy.AsSpan(start, _outputSize), gradient);
    }

    private void ReadRow(int i, double[] row) => TensorPrimitives.ConvertChecked<float, double>(weight.AsSpan(i * inputSize, inputSize), row);

    private Span<double> Input(double[] x, int token) => x.AsSpan(token * inputSize, inputSize);
}
