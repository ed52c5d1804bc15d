using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Verification;

namespace RetNet.Vulkan.Tests.Verification;

/// <summary>What the check says of steps that are right and of steps that are not; the oracle itself stands for a device.</summary>
public sealed class TrainingCheckTests : IDisposable
{
    private const string Tensor = "blk.1.ffn_up.weight";

    private static readonly TrainingCheckOptions Options = new() { Steps = 2, ChunkLength = 4, DifferencesTime = TimeSpan.FromSeconds(60) };

    private readonly TemporaryFolder _folder = new();
    private readonly RandomModel _model = new(RandomModel.Shape(2, 32, 2, 4, 16, 32, 23) with { NormEps = 0.02f, RetentionEps = 0.02f }, seed: 5, _ => true);
    private readonly GgufFile _file;

    public TrainingCheckTests()
    {
        _model.Write(_folder.File("model.gguf"), GgmlType.F32);
        _file = GgufFile.Open(_folder.File("model.gguf"));
    }

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void RightStepsAgreeWithEverything()
    {
        var comparisons = Run(Options, form => new OracleTraining(_model.Reference, form, Options));
        Assert.Equal(
            [("oracle", "oracle"), ("oracle", "oracle"), ("oracle", "oracle"), ("oracle", "differences")], comparisons.Select(comparison => (comparison.Of, comparison.Against)));
        Assert.All(comparisons, comparison => Assert.False(comparison.IsWrong, $"{comparison.Against} {comparison.WorstGradient} {comparison.WorstUpdate}"));
        Assert.All(comparisons, comparison => Assert.Equal(_model.Reference.Weights.Count, comparison.Tensors.Count));
        Assert.InRange(comparisons[1].WorstGradient.Gradient, 1e-18, 1e-12);
    }

    [Fact]
    public void AWrongGradientIsFoundInItsTensor()
    {
        var comparisons = Run(Options, form => new Wrong(new OracleTraining(_model.Reference, form, Options), form.ChunkLength is null ? 1 : 1.01, 1));
        Assert.False(comparisons[0].IsWrong);
        Assert.True(comparisons[1].IsWrong);
        Assert.Equal([Tensor], comparisons[1].Tensors.Where(comparisons[1].IsGradientWrong).Select(tensor => tensor.Name));
        Assert.Equal(0.01, comparisons[1].WorstGradient.Gradient, 1e-6);
        Assert.DoesNotContain(comparisons[1].Tensors, comparisons[1].IsUpdateWrong);
        Assert.True(comparisons[2].IsWrong);
    }

    [Fact]
    public void WeightsThatAreNotNumbersAreWrong()
    {
        var comparisons = Run(Options, form => new Wrong(new OracleTraining(_model.Reference, form, Options), 1, double.NaN));
        Assert.Equal(Tensor, comparisons[0].WorstUpdate!.Name);
        Assert.True(comparisons[0].IsUpdateWrong(comparisons[0].WorstUpdate!));
        Assert.DoesNotContain(comparisons[0].Tensors, comparisons[0].IsGradientWrong);
    }

    [Fact]
    public void AFrameworksOwnStepsAreComparedWhereTheFormIsTheirs()
    {
        var options = Options with { TorchscaleClamp = true };
        using var subject = new OracleTraining(_model.Reference, new(null, TorchscaleClamp: true), options);
        var framework = TrainingTrace.Of(subject, [.. _model.Reference.Weights.Keys], Sequences, options.Steps) with { Name = "PyTorch" };
        var exact = Run(options, form => new OracleTraining(_model.Reference, form, options), framework);
        Assert.Equal(7, exact.Count);
        Assert.All(exact, comparison => Assert.False(comparison.IsWrong));
        Assert.Equal(0, exact[5].WorstGradient.Gradient);

        // ε is large and the clamp changes it: shown, not judged.
        Assert.True(exact[6].WorstGradient.Gradient > TrainingLimits.Parity.Gradient);
        Assert.Null(exact[6].Limits);
        Assert.Null(exact[2].Limits);
    }

    private static int[][] Sequences => [[3, 7, 1, 22, 7, 0, 5, 9, 11], [4, 4, 20, 8, 13, 2, 6, 6, 21]];

    private IReadOnlyList<TrainingComparison> Run(TrainingCheckOptions options, Func<TrainingForm, ITrainingSubject> device, TrainingTrace? framework = null) =>
        new TrainingCheck(_file, Sequences, options).Run(device, framework);

    /// <summary>Steps whose result in one tensor is off by a factor.</summary>
    private sealed class Wrong(ITrainingSubject subject, double gradientFactor, double weightFactor) : ITrainingSubject
    {
        public string Name => "wrong";

        public void ZeroGradients() => subject.ZeroGradients();

        public double Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<int[]> targets, double scale) => subject.Accumulate(tokens, targets, scale);

        public void Update() => subject.Update();

        public double[] Gradient(string name) => Array.ConvertAll(subject.Gradient(name), value => name == Tensor ? value * gradientFactor : value);

        public double[] Weight(string name) => Array.ConvertAll(subject.Weight(name), value => name == Tensor ? value * weightFactor : value);

        public void Dispose() => subject.Dispose();
    }
}
