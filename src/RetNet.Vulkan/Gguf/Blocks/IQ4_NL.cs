using System.Runtime.Intrinsics;

namespace RetNet.Vulkan.Gguf.Blocks;

/// <summary>
/// A <see cref="NibbleBlock"/> of d · c[q] with a codebook c that is denser around zero, where most weights are. Sixteen
/// scales are tried; the d that follows from the best of them by least squares, errors weighted by x², is kept
/// (ggml-quants.c, <c>quantize_iq4_nl</c> without importance matrix).
/// </summary>
internal static class IQ4_NL
{
    private const int Trials = 16;

    // Below it ggml takes a block for zeros (GROUP_MAX_EPS).
    private const float SmallestMagnitude = 1e-15f;

    private static readonly float[] Codebook = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    // Between neighbours in the codebook; from a midpoint on, the upper one is the nearest.
    private static readonly float[] Midpoints = [.. Codebook.Zip(Codebook[1..], (low, high) => (low + high) / 2)];

    private static readonly Vector128<sbyte> CodebookBytes = Vector128.Create([.. Codebook.Select(value => (sbyte)value)]);

    public static void Quantize(ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (; !source.IsEmpty; source = source[NibbleBlock.Length..], destination = destination[NibbleBlock.Bytes..])
        {
            BlockValues values = BlockValues.Load(source);
            float d = BestScale(source[..NibbleBlock.Length], values.Extreme(source));
            float inverse = d != 0 ? 1 / d : 0;
            NibbleBlock.Write(destination, d, values.ScaleAndCount(inverse, Midpoints));
        }
    }

    public static void Dequantize(ReadOnlySpan<byte> source, Span<float> destination) =>
        NibbleBlock.Dequantize(source, destination, CodebookBytes);

    // With d = Σwxc / Σwc² the error is Σwx² − (Σwxc)² / Σwc².
    private static float BestScale(ReadOnlySpan<float> block, float extreme)
    {
        if (MathF.Abs(extreme) < SmallestMagnitude)
            return 0;
        Span<float> factors = stackalloc float[Trials], products = stackalloc float[Trials], squares = stackalloc float[Trials];
        // The extreme goes to 127, beyond the largest of the codebook, or to −134 to −120, around the lowest.
        factors[0] = 1 / (extreme / -Codebook[0]);
        for (int i = 1; i < Trials; i++)
            factors[i] = (i - Trials / 2 + Codebook[0]) / extreme;
        for (int i = 0; i < Trials; i += Vector256<float>.Count)
            Sum(block, Vector256.Create<float>(factors[i..]), products[i..], squares[i..]);

        float d = products[0] / squares[0];
        float best = d * products[0];
        for (int i = 1; i < Trials; i++)
        {
            if (products[i] * products[i] > best * squares[i])
            {
                d = products[i] / squares[i];
                best = d * products[i];
            }
        }

        return d;
    }

    // Σwxc and Σwc² with w = x², a trial a lane, added up in ggml's order.
    private static void Sum(ReadOnlySpan<float> block, Vector256<float> factors, Span<float> products, Span<float> squares)
    {
        Vector256<float> product = Vector256<float>.Zero, square = Vector256<float>.Zero;
        foreach (float value in block)
        {
            Vector256<float> x = Vector256.Create(value);
            Vector256<float> c = Nearest(x * factors);
            Vector256<float> weighted = x * x * c;
            product += weighted * x;
            square += weighted * c;
        }

        product.CopyTo(products);
        square.CopyTo(squares);
    }

    private static Vector256<float> Nearest(Vector256<float> x)
    {
        Vector256<float> nearest = Vector256.Create(Codebook[0]);
        for (int i = 0; i < Midpoints.Length; i++)
            nearest = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(x, Vector256.Create(Midpoints[i])), Vector256.Create(Codebook[i + 1]), nearest);
        return nearest;
    }
}
