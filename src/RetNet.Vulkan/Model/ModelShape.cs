using System.Globalization;

namespace RetNet.Vulkan.Model;

/// <summary>A shape of a RetNet to begin with random weights: a published one by name, or any by its sizes.</summary>
/// <param name="Name">What it is called on the command line and in reports.</param>
/// <param name="Origin">Where it was published.</param>
/// <param name="Config">The model's settings; its output projection is a matrix of its own.</param>
public sealed record ModelShape(string Name, string Origin, RetNetConfig Config)
{
    private const string Fla = "flash-linear-attention: heads of 256/512, gated feed-forward network of 4/3 d rounded up to a multiple of 256, vocabulary 32000";
    private const string Torchscale = "torchscale, examples/fairseq/models/retnet.py; vocabulary 32000";
    private const int WidestRow = 1 << 20;
    private const int MostLayers = 256;

    /// <summary>The published shapes, and a tiny one that a software driver measures in seconds.</summary>
    public static IReadOnlyList<ModelShape> Known { get; } =
    [
        Of("tiny", "made for software drivers", 256, 4, 4, 64, 128, 512, 4096),
        Of("350m", Fla, 1024, 24, 4, 256, 512, 1536, 32000),
        Of("1.3b", Fla, 2048, 24, 8, 256, 512, 2816, 32000),
        Of("2.7b", Fla, 2560, 32, 10, 256, 512, 3584, 32000),
        Of("6.7b", Fla, 4096, 32, 16, 256, 512, 5632, 32000),
        Of("torchscale-medium", Torchscale, 1024, 16, 4, 256, 432, 1728, 32000),
        Of("torchscale-xl", Torchscale, 2048, 24, 8, 256, 432, 3456, 32000),
        Of("torchscale-3b", Torchscale, 2560, 32, 10, 256, 428, 4280, 32000),
        Of("torchscale-7b", Torchscale, 4096, 32, 16, 256, 432, 6912, 32000),
    ];

    /// <summary>Values of all matrices, embedding and output included; norms are left out.</summary>
    public long Parameters => ParametersOf(Config);

    /// <summary>Reads a name of <see cref="Known"/> or D,L,H,DK,DV,FFN,V.</summary>
    /// <param name="text">The name or the sizes.</param>
    /// <param name="vocabulary">Tokens of a tokenizer: with it a named shape takes this vocabulary, and V may be left out of the sizes.</param>
    /// <exception cref="ArgumentException">It is neither; the message says what is wrong.</exception>
    public static ModelShape Parse(string text, int? vocabulary = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Known.FirstOrDefault(shape => shape.Name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
            return known with { Config = known.Config with { VocabularySize = vocabulary ?? known.Config.VocabularySize } };
        string[] names = ["D", "L", "H", "DK", "DV", "FFN", "V"];
        var parts = text.Split(',');
        if (parts.Length != names.Length && (vocabulary is null || parts.Length != names.Length - 1))
            throw new ArgumentException($"a shape is one of {string.Join(", ", Known.Select(shape => shape.Name))}, or seven numbers D,L,H,DK,DV,FFN,V; it is '{text}'");
        var sizes = parts.Select((part, i) => Size(part, names[i], text)).ToArray();
        if (sizes.Length < names.Length)
            sizes = [.. sizes, vocabulary!.Value];
        if (sizes[1] > MostLayers)
            throw new ArgumentException($"a shape has up to {MostLayers} layers; '{text}' has {sizes[1]}");
        if (sizes[3] % 2 != 0)
            throw new ArgumentException($"a shape's DK must be even, since rotary positions turn pairs; it is {sizes[3]} in '{text}'");
        if ((long)sizes[2] * Math.Max(sizes[3], sizes[4]) > WidestRow)
            throw new ArgumentException($"a shape's heads together are up to {WidestRow} wide; '{text}' is wider");
        return Of(text, "given by its sizes", sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]);
    }

    /// <summary>Values of all matrices of a model whose output projection is a matrix of its own.</summary>
    internal static long ParametersOf(RetNetConfig config) => TensorShapes.Of(config).Where(shape => shape.IsMatrix).Sum(shape => shape.Dimensions[0] * shape.Dimensions[1]);

    private static int Size(string text, string name, string shape) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= WidestRow
            ? value
            : throw new ArgumentException($"a shape's {name} must be a whole number from 1 to {WidestRow}; it is '{text}' in '{shape}'");

    private static ModelShape Of(string name, string origin, int width, int layers, int heads, int keySize, int valueSize, int feedForward, int vocabulary) => new(name, origin, new RetNetConfig
    {
        Name = name,
        Layers = layers,
        Width = width,
        Heads = heads,
        KeyValueHeads = heads,
        KeySize = keySize,
        ValueSize = valueSize,
        FeedForwardSize = feedForward,
        VocabularySize = vocabulary,
        NormEps = 1e-6f,
        Decay = [.. Enumerable.Range(0, heads).Select(head => 1 - MathF.ScaleB(1, -5 - head))],
        Angles = [.. Enumerable.Range(0, keySize / 2).Select(i => MathF.Pow(10000, -2f * i / keySize))],
        RetentionEps = 1e-6f,
        RetentionEpsScaled = false,
    });
}
