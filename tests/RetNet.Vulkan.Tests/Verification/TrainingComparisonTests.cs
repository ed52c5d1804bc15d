using RetNet.Vulkan.Verification;

namespace RetNet.Vulkan.Tests.Verification;

/// <summary>Which differences of updates rounding explains, by made-up runs.</summary>
public sealed class TrainingComparisonTests
{
    private const string Tensor = "output_norm.weight";
    private const int Elements = 1000;
    private const double Update = 3e-3;

    /// <summary>One element is off by a share of its update; the others are exact.</summary>
    [Theory]
    [InlineData(1, 0.002, false)]
    [InlineData(1, 0.01, true)]
    [InlineData(100, 0.01, true)]
    [InlineData(0, 0.01, true)]
    [InlineData(1e4, 0.09, false)]
    [InlineData(1e4, 0.11, true)]
    [InlineData(1e12, 1.9, false)]
    [InlineData(1e12, 2.1, true)]
    public void RoundingExplainsAsMuchAsItsGradientIsSmall(double sensitivity, double share, bool isWrong)
    {
        var comparison = Compare(weights => weights[7] += share * Update, sensitivity);
        Assert.Equal(isWrong, comparison.IsWrong);
        Assert.Equal(share / Math.Sqrt(Elements), comparison.WorstPlainUpdate!.PlainUpdate!.Value, 1e-9);
        Assert.Equal(Math.Max(0, share - Math.Min(2, 1e-5 * sensitivity)) / Math.Sqrt(Elements), comparison.WorstUpdate!.Update!.Value, 1e-9);
    }

    [Fact]
    public void RoundingOfOneElementExplainsNoOther()
    {
        Assert.True(Compare(weights => weights[8] += 0.01 * Update, 1e12).IsWrong);
        Assert.True(Compare(weights => weights[8] = double.NaN, 1e12).IsWrong);
    }

    [Fact]
    public void WithoutWeightsOnlyGradientsAreCompared()
    {
        var run = Run(new double[Elements]);
        var comparison = TrainingComparison.Between(run with { Weights = null }, run, Origin, new Dictionary<string, double[]>(), TrainingLimits.Parity);
        Assert.Null(comparison.WorstUpdate);
        Assert.Null(comparison.WorstPlainUpdate);
        Assert.False(comparison.IsWrong);
    }

    [Fact]
    public void AnElementsSensitivityIsThatOfItsSmallestGradient()
    {
        using var subject = new Recorded([[3, 0.1, 0, 0], [-0.5, 5, 0, 0.5]]);
        var trace = TrainingTrace.Of(subject, [Tensor], [[1, 2]], 2);
        var (first, second) = (Math.Sqrt(9.01 / 4), Math.Sqrt(25.5 / 4));
        Assert.Equal([second / 0.5, first / 0.1, 0, second / 0.5], trace.Sensitivities[Tensor]);
    }

    private static Dictionary<string, float[]> Origin => new() { [Tensor] = new float[Elements] };

    private static TrainingComparison Compare(Action<double[]> change, double sensitivity)
    {
        double[] expected = [.. Enumerable.Range(0, Elements).Select(i => i % 2 == 0 ? Update : -Update)];
        var weights = (double[])expected.Clone();
        change(weights);
        double[] sensitivities = [.. Enumerable.Range(0, Elements).Select(i => i == 7 ? sensitivity : 1)];
        return TrainingComparison.Between(Run(weights), Run(expected), Origin, new Dictionary<string, double[]> { [Tensor] = sensitivities }, TrainingLimits.Parity);
    }

    private static TrainingTrace Run(double[] weights) => new()
    {
        Name = "run",
        Losses = [1],
        Gradients = new Dictionary<string, double[]> { [Tensor] = [.. Enumerable.Repeat(1.0, Elements)] },
        Weights = new Dictionary<string, double[]> { [Tensor] = weights },
    };

    /// <summary>Gradients of one tensor, a step each.</summary>
    private sealed class Recorded(double[][] gradients) : ITrainingSubject
    {
        private int _step;

        public string Name => "recorded";

        public void ZeroGradients()
        {
        }

        public double Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<int[]> targets, double scale) => 1;

        public void Update() => _step++;

        public double[] Gradient(string name) => gradients[_step];

        public double[] Weight(string name) => gradients[0];

        public void Dispose()
        {
        }
    }
}
