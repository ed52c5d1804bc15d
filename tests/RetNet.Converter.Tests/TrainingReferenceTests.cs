using RetNet.Vulkan.Verification;
using Xunit.Abstractions;

namespace RetNet.Converter.Tests;

/// <summary>
/// The oracle's losses, gradients and AdamW steps against what torchscale and flash-linear-attention gave with PyTorch in float32.
/// What was measured is written to the test's output; docs/numerics.md has it.
/// </summary>
public sealed class TrainingReferenceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("torchscale_base", true, null)]
    [InlineData("torchscale_tied_scaled", true, null)]
    [InlineData("torchscale_deepnorm", true, null)]
    [InlineData("fla_base", false, null)]
    [InlineData("fla_gqa_tied", false, null)]
    [InlineData("fla_base", false, 8)]
    [InlineData("fla_gqa_tied", false, 8)]
    public void StepsOfTheOracleAreTheFrameworks(string name, bool clamp, int? chunkLength)
    {
        var comparison = Compare(name, new(chunkLength, clamp), TrainingLimits.Parity);
        Assert.False(comparison.IsWrong, $"loss {comparison.Loss:0.0e0}, {comparison.WorstGradient}, {comparison.WorstUpdate}");
        Assert.NotNull(comparison.WorstUpdate);
    }

    [Theory]
    [InlineData("torchscale_base", true)]
    [InlineData("torchscale_tied_scaled", true)]
    [InlineData("torchscale_deepnorm", true)]
    [InlineData("fla_base", false)]
    [InlineData("fla_gqa_tied", false)]
    public void TheFrameworksGradientsAreRoundedAsIsAllowedFor(string name, bool clamp)
    {
        using var fixture = new FrameworkFixture(name);
        var reference = TrainingReference.Find(Repository.Fixture(name))!;
        using var subject = new OracleTraining(fixture.Oracle, new(null, clamp), new());
        var oracle = TrainingTrace.Of(subject, [.. fixture.Oracle.Weights.Keys], reference.Sequences, steps: 1);
        var rounding = new GradientRounding(TrainingTrace.Of("PyTorch", reference.Losses, reference.Gradients, null), oracle);
        output.WriteLine($"= {name}: {rounding}");
        Assert.InRange(rounding.Quantile(0.99), TrainingComparison.Rounding / 20, TrainingComparison.Rounding);
    }

    /// <summary>Without the clamp ε is another; how much that is depends on the activations.</summary>
    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void WithoutTheClampGradientsAreFurtherFromTorchscales(string name)
    {
        var (plain, clamped) = (Compare(name, new(null), null), Compare(name, new(null, TorchscaleClamp: true), null));
        Assert.InRange(plain.WorstGradient.Gradient, 2 * clamped.WorstGradient.Gradient, 1e-4);
    }

    [Fact]
    public void ThereNeedNotBeTrainingSteps()
    {
        Assert.Null(TrainingReference.Find(Repository.Fixture("syncdoth_glu")));
        Assert.Null(TrainingReference.Find(Repository.Fixture("tokenizers")));
    }

    [Fact]
    public void IncompleteStepsAreNamed()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Repository.Fixture("fla_base", "config.json"), folder.File("config.json"));
        using (var writer = SafeTensorsWriter.Create(folder.File(TrainingReference.FileName), [("train.loss", [1L])]))
        {
            writer.Write("train.loss", 0, [1f]);
            writer.Complete();
        }

        var error = Assert.Throws<ConverterException>(() => TrainingReference.Find(folder.Path));
        Assert.Contains("has training steps but no tensor 'ids'", error.Message, StringComparison.Ordinal);
    }

    private TrainingComparison Compare(string name, TrainingForm form, TrainingLimits? limits)
    {
        using var fixture = new FrameworkFixture(name);
        var reference = TrainingReference.Find(Repository.Fixture(name))!;
        var (model, options) = (fixture.Oracle, new TrainingCheckOptions { Steps = reference.Losses.Count });
        Assert.Equal(model.Weights.Keys.Order(), reference.Gradients.Keys.Order());
        Assert.Equal(model.Weights.Keys.Order(), reference.Weights.Keys.Order());
        Assert.Equal(reference.Losses[0], reference.Loss, 1e-6f);

        using var subject = new OracleTraining(model, form, options);
        var oracle = TrainingTrace.Of(subject, [.. model.Weights.Keys], reference.Sequences, options.Steps);
        var framework = TrainingTrace.Of("PyTorch", reference.Losses, reference.Gradients, reference.Weights);
        var comparison = TrainingComparison.Between(oracle, framework, model.Weights, oracle.Sensitivities, limits);
        output.WriteLine($"= {name}, {form}: loss {comparison.Loss:0.0e0}, gradient {comparison.WorstGradient.Gradient:0.0e0} ({comparison.WorstGradient.Name}), update {comparison.WorstUpdate!.Update:0.0e0} ({comparison.WorstUpdate.Name}), plain {comparison.WorstPlainUpdate!.PlainUpdate:0.0e0} ({comparison.WorstPlainUpdate.Name})");
        return comparison;
    }
}
