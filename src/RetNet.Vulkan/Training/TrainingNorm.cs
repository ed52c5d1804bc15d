using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>A norm of rows and its gradients.</summary>
internal sealed class TrainingNorm
{
    private readonly NormKernels _kernels;
    private readonly ParameterTensor _weight;
    private readonly ParameterTensor? _bias;
    private readonly bool _subtractMean;

    private TrainingNorm(NormKernels kernels, ParameterTensor weight, ParameterTensor? bias, bool subtractMean) => (_kernels, _weight, _bias, _subtractMean) = (kernels, weight, bias, subtractMean);

    /// <summary>A norm of the model, or null where the parameters have none of that name. One with a bias is a LayerNorm, whatever the others are.</summary>
    public static TrainingNorm? Find(NormKernels kernels, ParameterSet parameters, RetNetConfig config, string name) =>
        parameters.Find(TensorNames.Weight(name)) is { } weight
            ? new(kernels, weight, parameters.Find(TensorNames.Bias(name)), config.NormType == NormType.Layer || parameters.Find(TensorNames.Bias(name)) is not null)
            : null;

    /// <summary>Records y ← norm(x), and a barrier behind it; both have one stride.</summary>
    public void RecordForward(Recorder recorder, RowArray x, RowArray y, int rows)
    {
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, rows))
            recorder.Dispatch(_kernels.Forward(_subtractMean), new NormArguments
            {
                X = x.Row(first),
                Y = y.Row(first),
                Weight = _weight.Weight,
                Bias = _bias?.Weight ?? _kernels.Zeros,
                Columns = (uint)_weight.Columns,
                Stride = (uint)x.Stride,
                Eps = _kernels.Eps,
            }, count);
        recorder.Barrier();
    }

    /// <summary>Records the gradients of x, and of weight and bias where they are trained, and a barrier behind each.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="x">What was normalised.</param>
    /// <param name="dy">The gradient with respect to the result.</param>
    /// <param name="dx">The gradient with respect to x, of the same stride.</param>
    /// <param name="rows">Rows of all.</param>
    /// <param name="keep">Factor on what dx held; null where it may hold anything.</param>
    public void RecordBackward(Recorder recorder, RowArray x, RowArray dy, RowArray dx, int rows, float? keep = null)
    {
        foreach (var (first, count) in RowBlocks.Of(_kernels.Device, rows))
            recorder.Dispatch(_kernels.Backward(_subtractMean, keep is not null), new NormBackwardArguments
            {
                X = x.Row(first),
                Dy = dy.Row(first),
                Weight = _weight.Weight,
                Dx = dx.Row(first),
                Moments = _kernels.MomentsOf(first),
                Columns = (uint)_weight.Columns,
                Stride = (uint)x.Stride,
                Eps = _kernels.Eps,
                Keep = keep ?? 0,
            }, count);
        recorder.Barrier();
        if (_weight.Trainable)
            _kernels.Vectors.AddNormWeight(recorder, x, dy, _kernels.MomentsOf(0), rows, _weight.Columns, _weight.Gradient);
        if (_bias is { Trainable: true })
            _kernels.Vectors.Add(recorder, dy, rows, _bias.Columns, _bias.Gradient);
    }
}
