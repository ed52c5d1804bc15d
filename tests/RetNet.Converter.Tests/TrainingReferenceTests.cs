using RetNet.Vulkan.Reference;
using Xunit.Abstractions;

namespace RetNet.Converter.Tests;

/// <summary>
/// The oracle's loss, gradients and AdamW steps against what torchscale and flash-linear-attention gave with PyTorch in float32.
/// What was measured is written to the test's output; docs/numerics.md has it.
/// </summary>
public sealed class TrainingReferenceTests(ITestOutputHelper output)
{
    private const double Parity = 1e-4;
    private const double LearningRate = 1e-3;

    [Theory]
    [InlineData("torchscale_base", true, null)]
    [InlineData("torchscale_tied_scaled", true, null)]
    [InlineData("torchscale_deepnorm", true, null)]
    [InlineData("fla_base", false, null)]
    [InlineData("fla_gqa_tied", false, null)]
    [InlineData("fla_base", false, 8)]
    [InlineData("fla_gqa_tied", false, 8)]
    public void TrainingStepsOfTheOracleAreTheFrameworks(string name, bool clamp, int? chunkLength)
    {
        using var fixture = new FrameworkFixture(name);
        var reference = TrainingReference.Find(Repository.Fixture(name))!;
        var weights = fixture.Oracle.Weights.ToDictionary(pair => pair.Key, pair => (float[])pair.Value.Clone());
        Assert.Equal(weights.Keys.Order(), reference.Gradients.Keys.Order());
        Assert.Equal(weights.Keys.Order(), reference.Weights.Keys.Order());
        Assert.Equal(3, reference.Losses.Count);

        var gradients = new ReferenceGradients(fixture.Oracle, chunkLength, clamp);
        var optimiser = new ReferenceAdamW(fixture.Oracle) { Beta1 = 0.9, Beta2 = 0.95, Eps = 1e-8, WeightDecay = 0.1 };
        for (var step = 0; step < reference.Losses.Count; step++)
        {
            gradients.Clear();
            var loss = Accumulate(gradients, reference.Sequences);
            Assert.Equal(reference.Losses[step], loss, 1e-5 * loss);
            if (step == 0)
            {
                Assert.Equal(reference.Loss, loss, 1e-6 * loss);
                output.WriteLine($"loss {Math.Abs(reference.Loss - loss) / loss:0.0e0}");
                Require("gradient", reference.Gradients, tensor => gradients[tensor], tensor => new double[weights[tensor].Length]);
            }

            optimiser.Step(gradients, LearningRate);
        }

        Require("update", reference.Weights, tensor => optimiser.Weights(tensor).ToArray(), tensor => Array.ConvertAll(weights[tensor], w => (double)w));
    }

    /// <summary>What the clamp does to torchscale's gradients: without it ε is another.</summary>
    [Theory]
    [InlineData("torchscale_base", 1e-2)]
    [InlineData("torchscale_tied_scaled", 1e-2)]
    [InlineData("torchscale_deepnorm", 1e-2)]
    public void WithoutTheClampGradientsDifferByEps(string name, double bound)
    {
        using var fixture = new FrameworkFixture(name);
        var reference = TrainingReference.Find(Repository.Fixture(name))!;
        var gradients = new ReferenceGradients(fixture.Oracle);
        Accumulate(gradients, reference.Sequences);
        Require("gradient", reference.Gradients, tensor => gradients[tensor], tensor => new double[gradients[tensor].Length], bound);
    }

    [Fact]
    public void ThereNeedNotBeTrainingSteps()
    {
        Assert.Null(TrainingReference.Find(Repository.Fixture("syncdoth_glu")));
        Assert.Null(TrainingReference.Find(Repository.Fixture("tokenizers")));
    }

    private static double Accumulate(ReferenceGradients gradients, IReadOnlyList<int[]> sequences)
    {
        var count = sequences.Sum(ids => ids.Length - 1);
        return sequences.Sum(ids => gradients.Accumulate(ids, [.. ids.Skip(1), -1], 1.0 / count)) / count;
    }

    /// <summary>‖Δ‖ ≤ 1e-4 · ‖reference − origin‖ of every tensor.</summary>
    private void Require(string what, IReadOnlyDictionary<string, float[]> expected, Func<string, double[]> actual, Func<string, double[]> origin, double bound = Parity)
    {
        var differences = expected.Select(pair =>
        {
            var (values, from) = (actual(pair.Key), origin(pair.Key));
            var difference = Norm(pair.Value.Zip(values, (e, a) => e - a)) / Norm(pair.Value.Zip(from, (e, o) => e - o));
            return (Name: pair.Key, Value: difference);
        }).OrderByDescending(difference => difference.Value).ToList();
        foreach (var (tensor, value) in differences.Take(3).Append(differences[differences.Count / 2]))
            output.WriteLine($"{what} {value:0.0e0} {tensor}");
        Assert.All(differences, difference => Assert.True(difference.Value <= bound, $"{what} of {difference.Name}: {difference.Value:0.0e0}"));
    }

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));
}
