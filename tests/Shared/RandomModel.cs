using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Tests;

/// <summary>Models with random weights of any shape that a <see cref="RetNetConfig"/> can express.</summary>
internal sealed class RandomModel
{
    private readonly Dictionary<string, float[]> _tensors = new(StringComparer.Ordinal);

    /// <summary>Fills every tensor of the configuration, and the optional ones that <paramref name="optional"/> accepts by name.</summary>
    public RandomModel(RetNetConfig config, int seed, Func<string, bool> optional)
    {
        var random = new Random(seed);
        Config = config;
        foreach (var shape in TensorShapes.Of(config).Where(shape => shape.Required || optional(shape.Name)))
        {
            var fanIn = shape.IsMatrix ? shape.Dimensions[0] : 1;
            var mean = shape.IsMatrix || shape.Name.EndsWith(".bias", StringComparison.Ordinal) ? 0 : 1;
            var length = shape.Dimensions.Aggregate((a, b) => a * b);
            _tensors.Add(shape.Name, [.. Enumerable.Range(0, (int)length).Select(_ => (float)(mean + (random.NextDouble() - 0.5) / Math.Sqrt(fanIn) * 1.5))]);
        }

        Reference = new ReferenceModel(config, Tensor);
    }

    public RetNetConfig Config { get; }

    public ReferenceModel Reference { get; }

    public float[]? Tensor(string name) => _tensors.GetValueOrDefault(name);

    public int[] Tokens(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Config.VocabularySize))];
    }

    /// <summary>Writes the model as GGUF, matrices in <paramref name="type"/> where their rows are whole blocks and in f16 elsewhere.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="type">Type of the matrices.</param>
    /// <param name="addMetadata">Adds what belongs to the file besides the model's settings.</param>
    public void Write(string path, GgmlType type, Action<GgufWriter>? addMetadata = null)
    {
        using var writer = GgufWriter.Create(path);
        RetNetGguf.WriteConfig(writer, Config);
        addMetadata?.Invoke(writer);
        var tensors = TensorShapes.Of(Config).Where(shape => _tensors.ContainsKey(shape.Name)).Select(shape =>
        {
            var block = BlockType.Of(shape.IsMatrix ? type : GgmlType.F32);
            return writer.AddTensor(shape.Name, shape.Dimensions[0] % block.Length == 0 ? block : BlockType.Of(GgmlType.F16), shape.Dimensions);
        }).ToList();
        foreach (var tensor in tensors)
        {
            var bytes = new byte[tensor.Bytes];
            tensor.Type.Quantize(_tensors[tensor.Name], bytes);
            writer.Write(tensor, bytes);
        }

        writer.Complete();
    }

    /// <summary>torchscale's decays and angles for a shape.</summary>
    public static RetNetConfig Shape(int layers, int width, int heads, int keySize, int valueSize, int feedForward, int vocabulary) => new()
    {
        Layers = layers,
        Width = width,
        Heads = heads,
        KeyValueHeads = heads,
        KeySize = keySize,
        ValueSize = valueSize,
        FeedForwardSize = feedForward,
        VocabularySize = vocabulary,
        NormEps = 1e-6f,
        Decay = TorchscaleDecay(heads),
        Angles = TorchscaleAngles(keySize),
        RetentionEps = 1e-6f,
        RetentionEpsScaled = true,
    };

    /// <summary>γ_h = 1 − 2^(−5−h).</summary>
    public static float[] TorchscaleDecay(int heads) => [.. Enumerable.Range(0, heads).Select(head => 1 - MathF.ScaleB(1, -5 - head))];

    /// <summary>θ_i = 10000^(−i / (dk/2 − 1)), and 1 for a single pair.</summary>
    public static float[] TorchscaleAngles(int keySize) =>
        [.. Enumerable.Range(0, keySize / 2).Select(i => (float)Math.Pow(10000, -i / Math.Max(keySize / 2 - 1.0, 1)))];
}
