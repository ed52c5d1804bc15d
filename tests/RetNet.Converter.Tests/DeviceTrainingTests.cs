using RetNet.Vulkan.Verification;
using Xunit.Abstractions;

namespace RetNet.Converter.Tests;

/// <summary>
/// Training steps of every device, in the parallel and in the chunkwise form, against the oracle's and the frameworks' own in float32. What was measured is
/// written to the test's output; docs/numerics.md has it.
/// </summary>
[Collection(TestDevices.Collection)]
public sealed class DeviceTrainingTests(TestDevices devices, ITestOutputHelper output)
{
    public static TheoryData<int, string, string> Fixtures
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var fixture in FrameworkFixture.Torchscale.Concat(FrameworkFixture.Fla))
                    data.Add((int)device[0], (string)device[1], fixture);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void StepsAreTheOraclesAndTheFrameworks(int device, string name, string fixtureName)
    {
        _ = name;
        using var fixture = new FrameworkFixture(fixtureName);
        var reference = TrainingReference.Find(Repository.Fixture(fixtureName))!;
        var options = new TrainingCheckOptions { Steps = reference.Losses.Count, TorchscaleClamp = FrameworkFixture.Torchscale.Contains(fixtureName), DifferencesTime = TimeSpan.Zero };
        var comparisons = new TrainingCheck(fixture.File, reference.Sequences, options).Run(
            form => new DeviceTraining(devices[device], fixture.File, form, reference.Sequences.Count, reference.Sequences[0].Length, options),
            TrainingTrace.Of("PyTorch", reference.Losses, reference.Gradients, reference.Weights));
        foreach (var comparison in comparisons)
            output.WriteLine($"{comparison.Of} - {comparison.Against}: loss {comparison.Loss:0.0e0}, gradient {comparison.WorstGradient.Gradient:0.0e0}, update {comparison.WorstUpdate?.Update:0.0e0}, plain {comparison.WorstPlainUpdate?.PlainUpdate:0.0e0}");
        Assert.Equal(7, comparisons.Count);
        Assert.All(comparisons, comparison => Assert.False(comparison.IsWrong, $"{comparison.Of} - {comparison.Against}: {comparison.Loss}, {comparison.WorstGradient}, {comparison.WorstUpdate}"));
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void GradientsAreRoundedAsIsAllowedFor(int device, string name, string fixtureName)
    {
        _ = name;
        using var fixture = new FrameworkFixture(fixtureName);
        var (sequences, options) = (TrainingReference.Find(Repository.Fixture(fixtureName))!.Sequences, new TrainingCheckOptions());
        var form = new TrainingForm(null, FrameworkFixture.Torchscale.Contains(fixtureName));
        var rounding = new GradientRounding(
            Trace(new DeviceTraining(devices[device], fixture.File, form, sequences.Count, sequences[0].Length, options)), Trace(new OracleTraining(fixture.Oracle, form, options)));
        output.WriteLine($"{fixtureName}: {rounding}");
        Assert.InRange(rounding.Quantile(0.99), 0, TrainingComparison.Rounding);

        TrainingTrace Trace(ITrainingSubject subject)
        {
            using (subject)
                return TrainingTrace.Of(subject, [.. fixture.Oracle.Weights.Keys], sequences, steps: 1);
        }
    }
}
