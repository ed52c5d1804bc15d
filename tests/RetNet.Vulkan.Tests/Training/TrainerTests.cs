using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private const int Length = 4;
    private readonly TemporaryFolder _folder = new();

    private static readonly TrainingData Data = new([.. Enumerable.Range(0, 60).Select(i => i * i % 5)], [1, 4, 0, 1, 4, 0, 4], Length, FakeModel.Vocabulary);

    [Fact]
    public void TheLossFallsToTheEntropy()
    {
        using var model = new FakeModel(2);
        var trainer = Train(model, Options(300) with { Schedule = new(1, 0.01, 10, 300) });

        Assert.Equal(Math.Log(FakeModel.Vocabulary), trainer.History[1].Loss, 5);
        Assert.Equal(Data.Training.UnigramEntropy(), trainer.History.TakeLast(15).Average(row => row.Loss), 0.02);
        Assert.Equal(300, model.Updates);
    }

    [Fact]
    public void EveryEpochReadsEveryWindowOnce()
    {
        using var model = new FakeModel(3);
        Train(model, Options(5) with { Batch = 6 });

        // 15 windows of 4 tokens, 30 of them read: two epochs across five steps.
        var windows = model.Passes.SelectMany(pass => pass.Tokens.Chunk(Length).Zip(pass.Targets.Chunk(Length), (tokens, targets) => string.Join(',', tokens.Concat(targets)))).ToArray();
        Assert.Equal(30, windows.Length);
        Assert.Equal(windows.Take(15).Order(StringComparer.Ordinal), windows.Skip(15).Order(StringComparer.Ordinal));
        Assert.NotEqual(windows.Take(15), windows.Skip(15));
    }

    [Fact]
    public void MicroBatchesShareTheScaleOfTheirStep()
    {
        using var model = new FakeModel(1);
        Train(model, Options(15) with { Batch = 4 });

        foreach (var step in model.Passes.Chunk(4))
        {
            var targets = step.Sum(pass => pass.Targets.Count(target => target >= 0));
            Assert.All(step, pass => Assert.Equal(1.0 / targets, pass.Scale));
        }
    }

    [Fact]
    public void ResumedRunsAreTheSameBitForBit()
    {
        using var whole = new FakeModel(2);
        var expected = Train(whole, Options(23), "whole").History;

        // Stopped twice, once between checkpoints: then the steps since the last one are taken again.
        var options = Options(23) with { CheckpointEvery = 5 };
        Interrupted(options, "parts", stopAfter: 7, save: true);
        Interrupted(options, "parts", stopAfter: 13, save: false);
        using var model = new FakeModel(2);
        var actual = Resume(model, options, "parts").History;

        Assert.Equal(expected.Select(row => row with { Seconds = 0 }), actual.Select(row => row with { Seconds = 0 }));
        Assert.Equal(whole.ReadWeight("token_embd.weight"), model.ReadWeight("token_embd.weight"));
    }

    [Fact]
    public void ValidationIsBeforeBetweenAndAfter()
    {
        using var model = new FakeModel(4);
        var history = Train(model, Options(10) with { ValidateEvery = 4 }).History;

        Assert.Equal([0, 4, 8, 10], history.Where(row => float.IsFinite(row.ValidationLoss)).Select(row => row.Step));
        Assert.Equal(Math.Log(FakeModel.Vocabulary), history[0].ValidationLoss, 5);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ANaNLossStopsBeforeTheUpdate(double loss)
    {
        using var model = new FakeModel(2);
        model.Loss = value => model.Updates == 6 ? loss : value;
        var message = Assert.Throws<TrainingException>(() => Train(model, Options(20) with { CheckpointEvery = 5 })).Message;

        Assert.Contains("in step 7, so training has diverged; the last good checkpoint is", message, StringComparison.Ordinal);
        Assert.Contains("step-000005", message, StringComparison.Ordinal);
        Assert.Equal(6, model.Updates);
        using var checkpoint = TrainingCheckpoint.Open(_folder.File("run/step-000005"));
        Assert.Equal(5, checkpoint.State.Step);
    }

    [Fact]
    public void AnInfiniteGradientStopsInF32()
    {
        using var model = new FakeModel(2) { Norm = _ => double.PositiveInfinity };
        var message = Assert.Throws<TrainingException>(() => Train(model, Options(20))).Message;

        Assert.Contains("the norm of the gradients is Infinity in step 1", message, StringComparison.Ordinal);
        Assert.Contains("there is no checkpoint yet", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnInfiniteGradientHalvesTheLossScale()
    {
        using var model = new FakeModel(2);
        var overflows = 2;
        model.Norm = norm => overflows-- > 0 ? double.NaN : norm;
        var state = new TrainingState { LossScale = LossScale.Initial };
        var history = Train(model, Options(5), state: state).History;

        Assert.Equal([65536, 32768, 16384, 16384, 16384], history.Skip(1).Select(row => row.LossScale));
        Assert.Equal(3, model.Updates);
    }

    [Fact]
    public void ADiskThatIsFullLeavesTheLastCheckpoint()
    {
        using var model = new FakeModel(2);
        using var folder = CheckpointFolder.Open(_folder.File("run"));
        var good = folder.Save(5, part => File.WriteAllText(Path.Combine(part, "model.gguf"), "whole"));
        Assert.Throws<TrainingException>(() => folder.Save(10, part =>
        {
            File.WriteAllText(Path.Combine(part, "model.gguf"), "half");
            throw new IOException("No space left on device");
        }));

        Assert.Equal(good, folder.Latest);
        Assert.Equal(["step-000005"], Directory.EnumerateDirectories(_folder.File("run")).Select(Path.GetFileName));
    }

    [Fact]
    public void ACheckpointThatDoesNotFitEndsTheRun()
    {
        using var model = new FakeModel(2) { Room = 2 };
        var message = Assert.Throws<TrainingException>(() => Train(model, Options(20) with { CheckpointEvery = 5 })).Message;

        Assert.Contains("No space left on device; the last good checkpoint is", message, StringComparison.Ordinal);
        Assert.EndsWith("step-000010", message, StringComparison.Ordinal);
        Assert.Equal(["step-000005", "step-000010"], Directory.EnumerateDirectories(_folder.File("run")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ABatchIsAWholeNumberOfPasses()
    {
        using var model = new FakeModel(3);
        Assert.Throws<ArgumentException>(() => Train(model, Options(1) with { Batch = 8 }));
    }

    public void Dispose() => _folder.Dispose();

    internal static TrainerOptions Options(int steps) => new() { Schedule = new(0.5, 0.05, 3, steps), Batch = 4, Seed = 3, ValidateEvery = 10 };

    private static TrainingRun Run { get; } = new(new Dictionary<string, string> { ["batch"] = "4", ["lr"] = "0.5" }, [new("tokenizer.ggml.eos_token_id", 0u)]);

    private Trainer Train(FakeModel model, TrainerOptions options, string name = "run", TrainingState? state = null)
    {
        using var folder = CheckpointFolder.Open(_folder.File(name));
        var trainer = new Trainer(model, Data, options, state ?? new() { LossScale = LossScale.None }, folder, Run);
        Assert.True(trainer.Run());
        return trainer;
    }

    private Trainer Resume(FakeModel model, TrainerOptions options, string name)
    {
        using var checkpoint = Restore(model, name);
        return Train(model, options, name, checkpoint.State);
    }

    private TrainingCheckpoint Restore(FakeModel model, string name)
    {
        var checkpoint = TrainingCheckpoint.Open(CheckpointFolder.LatestIn(_folder.File(name))!);
        using (var file = GgufFile.Open(checkpoint.ModelPath))
        {
            var tensor = file.GetTensor("token_embd.weight");
            model.LoadWeights(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.Rows(tensor, 0, (int)tensor.Rows)));
        }

        checkpoint.Restore(model, Data);
        return checkpoint;
    }

    /// <summary>A run that ends after some steps, by Ctrl+C or by force.</summary>
    private void Interrupted(TrainerOptions options, string name, int stopAfter, bool save)
    {
        using var model = new FakeModel(2);
        using var checkpoint = CheckpointFolder.LatestIn(_folder.File(name)) is null ? null : Restore(model, name);
        using var folder = CheckpointFolder.Open(_folder.File(name));
        using var stop = new CancellationTokenSource();
        var trainer = new Trainer(model, Data, options, checkpoint?.State ?? new() { LossScale = LossScale.None }, folder, Run)
        {
            OnStep = row =>
            {
                if (row.Step == stopAfter && !save)
                    throw new OperationCanceledException();
                if (row.Step == stopAfter)
                    stop.Cancel();
            },
        };
        if (save)
            Assert.False(trainer.Run(stop.Token));
        else
            Assert.Throws<OperationCanceledException>(() => trainer.Run(stop.Token));
    }
}
