using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// Random weights to begin training with, as torchscale draws them (architecture/retnet.py, component/multiscale_retention.py,
/// component/gate_linear_unit.py): embedding and output normal of deviation d^−½; queries, keys, values and gate Xavier-uniform with gain 2^−2.5, retention's
/// output with 2^−1; the feed-forward network uniform within ±1/√inputs; with DeepNorm's residual scale the value, output, first and last
/// matrices divided by (8L)^¼; norms one, biases zero. A value depends on the seed, the tensor's name and its place alone.
/// </summary>
/// <param name="Seed">The same seed gives the same weights on every machine.</param>
public sealed record Initialisation(ulong Seed)
{
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Draws a row.</summary>
    internal void Fill(RetNetConfig config, ParameterShape shape, int row, Span<float> values)
    {
        if (!shape.IsMatrix)
        {
            values.Fill(shape.Name.EndsWith(".bias", StringComparison.Ordinal) ? 0 : 1);
            return;
        }

        var part = shape.Name.Split('.')[^2];
        var scale = Scale(config, shape, part);
        var normal = part is TensorNames.TokenEmbedding or TensorNames.Output;
        var start = Mix(Seed * GoldenRatio ^ Hash(shape.Name)) + (ulong)row * (ulong)shape.Columns * 2;
        for (var i = 0; i < values.Length; i++)
        {
            var (first, second) = (Uniform(start + 2 * (ulong)i), Uniform(start + 2 * (ulong)i + 1));
            values[i] = (float)(scale * (normal ? Math.Sqrt(-2 * Math.Log(first)) * Math.Cos(2 * Math.PI * second) : 2 * first - 1));
        }
    }

    /// <summary>Deviation of a normal matrix, bound of a uniform one.</summary>
    private static double Scale(RetNetConfig config, ParameterShape shape, string part)
    {
        var deepNorm = config.ResidualScale > 1 ? Math.Pow(8.0 * config.Layers, -0.25) : 1;
        var xavier = Math.Sqrt(6.0 / (shape.Rows + shape.Columns));
        var linear = 1 / Math.Sqrt(shape.Columns);
        return part switch
        {
            TensorNames.TokenEmbedding or TensorNames.Output => linear,
            "attn_q" or "attn_k" or "attn_gate" => xavier * Math.Pow(2, -2.5),
            "attn_v" => xavier * Math.Pow(2, -2.5) * deepNorm,
            "attn_output" => xavier / 2 * deepNorm,
            // The linear branch of a gated unit is the one that DeepNorm leaves.
            "ffn_up" when config.GatedFeedForward => linear,
            _ => linear * deepNorm,
        };
    }

    /// <summary>Uniform in (0, 1).</summary>
    private static double Uniform(ulong counter) => ((Mix(counter * GoldenRatio) >> 11) + 0.5) * Math.ScaleB(1, -53);

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood 2014).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>FNV-1a.</summary>
    private static ulong Hash(string text) => text.Aggregate(0xCBF2_9CE4_8422_2325, (hash, letter) => (hash ^ letter) * 0x100_0000_01B3);
}
