using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>A small random model, tokens for it, and its gradients in double precision.</summary>
internal sealed class GradientModel(RandomModel model)
{
    public RetNetConfig Config => model.Config;

    /// <summary>Puts the weights onto a device.</summary>
    public ParameterSet Load(GpuDevice device, TemporaryFolder folder, Func<string, bool>? trainable = null, IEnumerable<ParameterGroup>? more = null)
    {
        var path = Path.Combine(folder.Path, $"{Guid.NewGuid()}.gguf");
        model.Write(path, GgmlType.F32);
        using var file = GgufFile.Open(path);
        return ParameterSet.Load(device, Config, file, trainable, more: more);
    }

    /// <summary>Rows and columns of a matrix.</summary>
    public (int Rows, int Columns) Weight(string matrix)
    {
        var dimensions = TensorShapes.Of(Config).Single(shape => shape.Name == TensorNames.Weight(matrix)).Dimensions;
        return ((int)dimensions[1], (int)dimensions[0]);
    }

    /// <summary>Adds scale · B A to a matrix of the oracle.</summary>
    public void Merge(string matrix, float[] a, float[] b, int rank, float scale)
    {
        var (values, columns) = (model.Reference.Weights[TensorNames.Weight(matrix)], Weight(matrix).Columns);
        for (var i = 0; i < values.Length; i++)
            for (var r = 0; r < rank; r++)
                values[i] += scale * b[i / columns * rank + r] * a[r * columns + i % columns];
    }

    /// <summary>Tokens of sequences, and what comes after each; every seventh target does not count.</summary>
    public (int[] Tokens, int[] Targets) Sequences(int sequences, int length, int seed)
    {
        var tokens = model.Tokens(sequences * length, seed);
        var targets = model.Tokens(sequences * length, seed + 1);
        for (var i = 3; i < targets.Length; i += 7)
            targets[i] = TrainingStep.Ignored;
        return (tokens, targets);
    }

    /// <summary>The oracle's loss and gradients of sequences.</summary>
    public (double Loss, ReferenceGradients Gradients) Reference(int[] tokens, int[] targets, int length, double scale, int? chunkLength = null, bool torchscaleClamp = false)
    {
        var gradients = new ReferenceGradients(model.Reference, chunkLength, torchscaleClamp);
        var loss = 0.0;
        for (var first = 0; first < tokens.Length; first += length)
            loss += gradients.Accumulate(tokens.AsSpan(first, length), targets.AsSpan(first, length), scale);
        return (loss, gradients);
    }
}
