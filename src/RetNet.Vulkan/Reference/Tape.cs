using System.Numerics.Tensors;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// Reverse accumulation: every operation of a forward pass records how it turns the gradient of its result into those of what
/// it read, and <see cref="Backward"/> goes through the records from the last to the first. That is the chain rule, and
/// gradients of what is read several times add up.
/// </summary>
/// <remarks>
/// A value is known by its array, which must not change once it is recorded. The exception is a retention state, which moves
/// through time in its array; so does its gradient, backwards.
/// </remarks>
internal sealed class Tape
{
    private readonly Stack<Action> _steps = new();
    private readonly Dictionary<double[], double[]> _values = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<float[], double[]> _weights = new(ReferenceEqualityComparer.Instance);

    /// <summary>Records an operation.</summary>
    /// <param name="result">What it computed.</param>
    /// <param name="backward">Takes the gradient of the result and adds to the gradients of what it was computed from.</param>
    public void Record(double[] result, Action<double[]> backward) => _steps.Push(() =>
    {
        if (_values.Remove(result, out var gradient))
            backward(gradient);
    });

    /// <summary>The gradient of a value as far as it has been gathered, to be added to; zeros at first.</summary>
    public double[] Gradient(double[] value) => Gradient(_values, value, value.Length);

    /// <summary>The gradient of a weight, over all passes.</summary>
    public double[] Gradient(float[] weight) => Gradient(_weights, weight, weight.Length);

    /// <summary>Adds to the gradient of a value.</summary>
    public void Add(double[] value, ReadOnlySpan<double> gradient)
    {
        var sum = Gradient(value);
        TensorPrimitives.Add(sum, gradient, sum);
    }

    /// <summary>Carries the gradients of the results back to all weights; the records are used up.</summary>
    public void Backward()
    {
        while (_steps.TryPop(out var step))
            step();
        _values.Clear();
    }

    private static double[] Gradient<T>(Dictionary<T, double[]> gradients, T of, int length)
        where T : notnull
    {
        if (!gradients.TryGetValue(of, out var gradient))
            gradients.Add(of, gradient = new double[length]);
        return gradient;
    }
}
