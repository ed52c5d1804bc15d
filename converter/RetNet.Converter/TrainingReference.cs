using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>
/// Training steps that a framework itself took from a checkpoint, as <c>reference.safetensors</c> beside it has them (tools/reference/make_fixtures.py):
/// the mean cross-entropy of the next token over <c>ids</c>, its gradients, and the weights after steps of torch.optim.AdamW.
/// </summary>
/// <remarks>
/// Gradients go through the checkpoint's dialect as if they were its weights. That is right as a conversion only renames tensors and
/// takes or reorders their rows; a matrix in two roles has one gradient, their sum, in frameworks as in the canonical model.
/// </remarks>
public sealed class TrainingReference
{
    /// <summary>The file's name.</summary>
    public const string FileName = "reference.safetensors";

    private const string Prefix = "train.";
    private const string Gradient = Prefix + "grad.";
    private const string Weight = Prefix + "adamw3.";
    private const string LossesName = Weight + "losses";

    private TrainingReference(string path)
    {
        using WeightFile file = WeightFile.Open(path);
        CheckpointTensor ids = Find(file, "ids");
        if (ids.Shape is not [> 0, > 1])
            throw new ConverterException(path, $"'ids' has the shape {GgufTensor.FormatShape(ids.Shape)}, expected sequences of at least two tokens");
        Sequences = [.. ids.ReadIntegers().Select(id => ToToken(path, id)).Chunk((int)ids.Shape[1])];
        Loss = Floats(Find(file, Prefix + "loss")) is [var loss] ? loss : throw new ConverterException(path, "'train.loss' is not one number");
        Losses = Floats(Find(file, LossesName));
        Gradients = Canonical(path, name => name.StartsWith(Gradient, StringComparison.Ordinal));
        Weights = Canonical(path, name => name.StartsWith(Weight, StringComparison.Ordinal) && name != LossesName);
    }

    /// <summary>Token ids of each sequence, all of one length.</summary>
    public IReadOnlyList<int[]> Sequences { get; }

    /// <summary>The loss: the mean over all sequences, without their first tokens.</summary>
    public float Loss { get; }

    /// <summary>The loss before each AdamW step.</summary>
    public IReadOnlyList<float> Losses { get; }

    /// <summary>The gradient of every tensor by its canonical name.</summary>
    public IReadOnlyDictionary<string, float[]> Gradients { get; }

    /// <summary>Every tensor after the AdamW steps, by its canonical name.</summary>
    public IReadOnlyDictionary<string, float[]> Weights { get; }

    /// <summary>Reads what is beside a checkpoint.</summary>
    /// <param name="folder">The checkpoint's folder, with its config.json.</param>
    /// <returns>Null when there is no such file, or no training steps in it.</returns>
    /// <exception cref="ConverterException">It is damaged or incomplete.</exception>
    public static TrainingReference? Find(string folder)
    {
        string path = Path.Combine(folder, FileName);
        return File.Exists(path) && HasSteps(path) ? new TrainingReference(path) : null;
    }

    private static bool HasSteps(string path)
    {
        using WeightFile file = WeightFile.Open(path);
        return file.Tensors.Keys.Any(name => name.StartsWith(Prefix, StringComparison.Ordinal));
    }

    private static CheckpointTensor Find(WeightFile file, string name) => file.Tensors.TryGetValue(name, out CheckpointTensor? tensor)
        ? tensor
        : throw new ConverterException(file.Path, $"has training steps but no tensor '{name}'; make it again");

    private static int ToToken(string path, long id) => id is >= 0 and <= int.MaxValue ? (int)id : throw new ConverterException(path, $"'ids' has {id}, which is no token");

    private static Dictionary<string, float[]> Canonical(string path, Func<string, bool> select)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path, select);
        return Dialect.Read(checkpoint).Tensors.ToDictionary(tensor => tensor.Shape.Name, tensor => Floats(tensor.Source), StringComparer.Ordinal);
    }

    private static float[] Floats(CheckpointTensor tensor)
    {
        var values = new float[checked((int)tensor.Shape.Aggregate(1L, (product, size) => product * size))];
        tensor.Read(0, values);
        return values;
    }
}
