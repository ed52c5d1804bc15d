using System.Numerics.Tensors;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>Operations on each element by itself.</summary>
internal static class Elementwise
{
    /// <summary>α x + y.</summary>
    public static double[] AddScaled(double[] x, double scale, double[] y, Tape? tape)
    {
        var sum = new double[x.Length];
        TensorPrimitives.MultiplyAdd(x, scale, y, sum);
        tape?.Record(sum, gradient =>
        {
            TensorPrimitives.MultiplyAdd(gradient, scale, tape.Gradient(x), tape.Gradient(x));
            tape.Add(y, gradient);
        });
        return sum;
    }

    /// <summary>act(x).</summary>
    public static double[] Activate(Activation activation, double[] x, Tape? tape)
    {
        var y = Array.ConvertAll(x, value => Activations.Apply(activation, value));
        tape?.Record(y, dy =>
        {
            var dx = tape.Gradient(x);
            for (var i = 0; i < x.Length; i++)
                dx[i] += dy[i] * Activations.Derivative(activation, x[i]);
        });
        return y;
    }

    /// <summary>x ⊙ y.</summary>
    public static double[] Multiply(double[] x, double[] y, Tape? tape)
    {
        var product = new double[x.Length];
        TensorPrimitives.Multiply(x, y, product);
        tape?.Record(product, gradient =>
        {
            TensorPrimitives.MultiplyAdd(gradient, y, tape.Gradient(x), tape.Gradient(x));
            TensorPrimitives.MultiplyAdd(gradient, x, tape.Gradient(y), tape.Gradient(y));
        });
        return product;
    }
}
