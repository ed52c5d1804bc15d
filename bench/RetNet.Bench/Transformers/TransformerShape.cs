using RetNet.Vulkan.Model;

namespace RetNet.Bench.Transformers;

/// <summary>
/// The Transformer that a RetNet is measured against: the same width, layers, vocabulary and, but for rounding, parameters. Multi-head
/// attention with rotary positions has 4d² weights a layer; what a RetNet's larger values and its gate have more goes to the gated
/// feed-forward network.
/// </summary>
public static class TransformerShape
{
    private const int HeadSize = 128;
    private const int LeastHeadSize = 32;
    private const int FeedForwardMultiple = 64;

    /// <summary>
    /// Its matrices as settings of a RetNet that has no gate: q, k, v, o and the feed-forward network are placed, made and multiplied alike. Decay and the head
    /// norm are without meaning.
    /// </summary>
    /// <param name="shape">The RetNet.</param>
    /// <exception cref="ArgumentException">Its width is no multiple of 32.</exception>
    public static ModelShape Of(ModelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var config = shape.Config;
        if (config.Width % LeastHeadSize != 0)
            throw new ArgumentException($"a Transformer's width is a multiple of {LeastHeadSize}, since its heads are of 128, 64 or {LeastHeadSize}; '{shape.Name}' is {config.Width} wide");
        var headSize = HeadSize;
        while (config.Width % headSize != 0)
            headSize /= 2;
        var heads = config.Width / headSize;
        return shape with
        {
            Config = config with
            {
                Heads = heads,
                KeyValueHeads = heads,
                KeySize = headSize,
                ValueSize = headSize,
                OutputGate = false,
                FeedForwardSize = FeedForward(config),
                Decay = [.. Enumerable.Repeat(1f, heads)],
                Angles = [.. Enumerable.Range(0, headSize / 2).Select(i => MathF.Pow(10000, -2f * i / headSize))],
            },
        };
    }

    /// <summary>F whose 4d² + 3dF comes closest to a layer of the RetNet.</summary>
    private static int FeedForward(RetNetConfig config)
    {
        double retention = config.QueryWidth + config.KeyWidth + config.ValueWidth + (config.OutputGate ? 2 : 1) * config.OutputWidth;
        var wanted = ((config.GatedFeedForward ? 3 : 2) * (double)config.FeedForwardSize + retention - 4 * config.Width) / 3;
        return (int)Math.Max(Math.Round(wanted / FeedForwardMultiple), 1) * FeedForwardMultiple;
    }
}
