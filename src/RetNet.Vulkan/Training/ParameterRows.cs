namespace RetNet.Vulkan.Training;

/// <summary>Tensors that lie one after the other, as one matrix or vector: rows of matrices that share an input, or their biases.</summary>
internal sealed class ParameterRows
{
    private readonly ParameterTensor[] _tensors;

    /// <param name="tensors">The tensors in the order of their places.</param>
    public ParameterRows(IEnumerable<ParameterTensor> tensors)
    {
        _tensors = [.. tensors];
        for (var i = 1; i < _tensors.Length; i++)
            if (_tensors[i].Weight != End(_tensors[i - 1].Weight, _tensors[i - 1]))
                throw new InvalidOperationException($"'{_tensors[i].Name}' does not follow '{_tensors[i - 1].Name}' in memory");
    }

    /// <summary>Device address of the first one's weights.</summary>
    public ulong Weight => _tensors[0].Weight;

    /// <summary>Outputs: rows of matrices, elements of biases.</summary>
    public int Outputs => _tensors.Sum(OutputsOf);

    /// <summary>Inputs of matrices.</summary>
    public int Inputs => _tensors[0].Columns;

    /// <summary>Floats from one row to the next.</summary>
    public int Stride => _tensors[0].Stride;

    /// <summary>First output, outputs and device address of the gradients that lie one after the other; what is not trained is left out.</summary>
    public IEnumerable<(int First, int Outputs, ulong Gradient)> Gradients()
    {
        var (first, count, gradient, end) = (0, 0, 0UL, 0UL);
        var output = 0;
        foreach (var tensor in _tensors)
        {
            if (tensor.Trainable)
            {
                if (count > 0 && tensor.Gradient != end)
                {
                    yield return (first, count, gradient);
                    count = 0;
                }

                if (count == 0)
                    (first, gradient) = (output, tensor.Gradient);
                (count, end) = (count + OutputsOf(tensor), End(tensor.Gradient, tensor));
            }
            else if (count > 0)
            {
                yield return (first, count, gradient);
                count = 0;
            }

            output += OutputsOf(tensor);
        }

        if (count > 0)
            yield return (first, count, gradient);
    }

    /// <summary>First output of a tensor.</summary>
    public int FirstOutput(string name) => _tensors.TakeWhile(tensor => tensor.Name != name).Sum(OutputsOf);

    private static int OutputsOf(ParameterTensor tensor) => tensor.IsMatrix ? tensor.Rows : tensor.Columns;

    private static ulong End(ulong address, ParameterTensor tensor) => address + ((ulong)tensor.Floats * sizeof(float));
}
