using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>
/// Random weights of a shape, made on the device. A product keeps the size of its input (the mean square of a weight is
/// about 1 / columns), so that activations stay finite and of sensible size; norms are ones, and nothing has a bias.
/// </summary>
internal sealed class RandomWeights : IWeightSource
{
    /// <summary>Root mean square of ±[1, 2).</summary>
    private const double Spread = 1.5275;

    private readonly Dictionary<string, TensorShape> _shapes;
    private readonly RandomFiller _filler;
    private readonly BlockType _type;
    private uint _seed;

    /// <param name="device">The device.</param>
    /// <param name="config">The shape; its output projection is a matrix of its own.</param>
    /// <param name="type">Type of the matrices; rows that are no whole blocks are f16, as the converter makes them.</param>
    /// <param name="seed">The same seed gives the same weights on every device that lays them out alike.</param>
    public RandomWeights(GpuDevice device, RetNetConfig config, GgmlType type, uint seed)
    {
        _shapes = TensorShapes.Of(config).Where(shape => shape.Required || shape.Name == TensorNames.Weight(TensorNames.Output)).ToDictionary(shape => shape.Name);
        (_type, _seed, _filler) = (BlockType.Of(type), seed, new RandomFiller(device));
    }

    public string Name => "random weights";

    public bool Has(string tensorName) => _shapes.ContainsKey(tensorName);

    public SourceMatrix Matrix(string tensorName)
    {
        var dimensions = _shapes[tensorName].Dimensions;
        return new(tensorName, dimensions[0] % _type.Length == 0 ? _type.Type : GgmlType.F16, (int)dimensions[1], (int)dimensions[0]);
    }

    public bool TryReadVector(string tensorName, Span<float> values) => false;

    /// <summary>Rows that pad a last group are random too: nothing reads what they give.</summary>
    public void Fill(Uploader uploader, IReadOnlyList<SourceMatrix> matrices, RowLayout layout, BufferPart weights, BufferPart? scales)
    {
        var (type, columns) = (matrices[0].Type, matrices[0].Columns);
        var bits = (uint)(BlockType.Of(type).Bytes * 8 - (scales is null ? 0 : 16)) / (uint)BlockType.Of(type).Length;
        Fill(weights, layout, WeightPacker.RowBytes(type, columns), WeightPacker.QuadBytes, (uint)columns * bits / 16, WeightFormat(type, columns));
        // Scales are of either sign, as ggml's are: the mean of 4-bit quants is not zero.
        if (scales is { } part)
            Fill(part, layout, WeightPacker.RowScaleBytes(type, columns), WeightPacker.WordBytes, (uint)(columns / BlockType.Of(type).Length), RandomFormat.F16(Exponent(columns, QuantSize(type))));
    }

    public void Dispose() => _filler.Dispose();

    private static RandomFormat WeightFormat(GgmlType type, int columns) => type switch
    {
        GgmlType.F32 => RandomFormat.F32(Exponent(columns, 1)),
        GgmlType.F16 => RandomFormat.F16(Exponent(columns, 1)),
        GgmlType.BF16 => RandomFormat.BF16(Exponent(columns, 1)),
        _ => RandomFormat.Bits,
    };

    /// <summary>Root mean square of random quants: −128..127, −8..7, and iq4_nl's codebook.</summary>
    private static double QuantSize(GgmlType type) => type switch
    {
        GgmlType.Q8_0 => 73.9,
        GgmlType.Q4_0 => 4.64,
        GgmlType.IQ4_NL => 68.4,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "has no quants"),
    };

    /// <summary>The e whose ±2^e·[1, 2) times the quants come closest to 1/√columns.</summary>
    private static int Exponent(int columns, double quantSize) => Math.Clamp((int)Math.Round(Math.Log2(1 / (Math.Sqrt(columns) * Spread * quantSize))), -14, 15);

    private void Fill(BufferPart target, RowLayout layout, int rowBytes, int partBytes, uint rowHalves, RandomFormat format) => _filler.Fill(new()
    {
        Words = target.Address,
        Count = checked((uint)((long)layout.Groups * layout.Interleave * rowBytes / WeightPacker.WordBytes)),
        RowParts = (uint)(rowBytes / partBytes),
        RowHalves = rowHalves,
        PartWords = (uint)(partBytes / WeightPacker.WordBytes),
        Interleave = (uint)layout.Interleave,
        Mask = format.Mask,
        Pattern = format.Pattern,
        Seed = _seed++ * 0x9E37_79B9u,
    });
}
