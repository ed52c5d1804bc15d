using RetNet.Vulkan.Model;

namespace RetNet.Bench.Transformers;

/// <summary>The least that a token of a Transformer needs: its share of the weights, and the keys and values of all positions once.</summary>
/// <param name="weights">What its matrices need, which is what a RetNet's do.</param>
/// <param name="config">The shape.</param>
/// <param name="depth">Tokens taken in before.</param>
/// <param name="tokens">Tokens decoded from there: the context grows meanwhile.</param>
internal sealed class TransformerWork(TokenWork weights, RetNetConfig config, int depth, int tokens)
{
    private const int HalfBytes = 2;

    /// <summary>Keys and values that are read, mean of the tokens decoded; each one's own are written.</summary>
    private readonly double _elements = 2.0 * config.Layers * config.KeyWidth * (depth + (tokens + 1) / 2.0);

    /// <summary>Bytes a token.</summary>
    public double DecodeBytes(int batch) => weights.WeightBytes(batch) + _elements * HalfBytes;

    /// <summary>Operations a token: a multiplication and an addition an element of the cache.</summary>
    public double DecodeFlops => weights.WeightFlops + 2 * _elements;
}
