using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>Activation functions in double precision.</summary>
internal static class Activations
{
    /// <summary>Beyond this |x|, erf rounds to ±1.</summary>
    private const double ErfSaturation = 6;

    public static double Apply(Activation activation, double x) => activation switch
    {
        Activation.Silu => Silu(x),
        Activation.Gelu => Gelu(x),
        Activation.Relu => Math.Max(x, 0),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, null),
    };

    /// <summary>dy/dx of y = <see cref="Apply"/>(x); at 0, where relu has none, 0.</summary>
    public static double Derivative(Activation activation, double x) => activation switch
    {
        Activation.Silu => SiluDerivative(x),
        Activation.Gelu => GeluDerivative(x),
        Activation.Relu => x > 0 ? 1 : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, null),
    };

    /// <summary>x · σ(x).</summary>
    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>x · Φ(x).</summary>
    public static double Gelu(double x) => x * 0.5 * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>σ(x) · (1 + x · (1 − σ(x))).</summary>
    private static double SiluDerivative(double x)
    {
        var sigmoid = 1 / (1 + Math.Exp(-x));
        return sigmoid * (1 + x * (1 - sigmoid));
    }

    /// <summary>Φ(x) + x · φ(x).</summary>
    private static double GeluDerivative(double x) => 0.5 * (1 + Erf(x / Math.Sqrt(2))) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>
    /// erf x = 2/√π · e^(−x²) · Σ_n 2ⁿ x^(2n+1) / (2n+1)!! (Abramowitz and Stegun 7.1.6). All terms have one sign, so
    /// nothing cancels.
    /// </summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > ErfSaturation)
            return Math.Sign(x);

        var (sum, term) = (0.0, x);
        for (var n = 0; sum + term != sum; n++)
        {
            sum += term;
            term *= 2 * x * x / (2 * n + 3);
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
