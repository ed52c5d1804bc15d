using RetNet.Vulkan.Verification;

namespace RetNet.Converter.Tests;

/// <summary>
/// How far small elements of a gradient are from the oracle's, relative to the root mean square of their tensor's gradient: those below a tenth of that and not zero.
/// </summary>
internal sealed class GradientRounding
{
    private const double Small = 0.1;

    private readonly double[] _errors;

    public GradientRounding(TrainingTrace run, TrainingTrace oracle) => _errors = [.. oracle.Gradients.Keys.SelectMany(name => Errors(run.Gradients[name], oracle.Gradients[name])).Order()];

    /// <summary>Below this are so many of the errors.</summary>
    public double Quantile(double share) => _errors[(int)(share * _errors.Length)];

    public override string ToString() => $"{_errors.Length} small elements of gradients: 99 % are within {Quantile(0.99):0.0e0}, 99.9 % within {Quantile(0.999):0.0e0}";

    private static IEnumerable<double> Errors(double[] gradient, double[] expected)
    {
        var size = Math.Sqrt(expected.Sum(value => value * value) / expected.Length);
        return Enumerable.Range(0, expected.Length).Where(i => expected[i] != 0 && Math.Abs(expected[i]) < Small * size).Select(i => Math.Abs(gradient[i] - expected[i]) / size);
    }
}
