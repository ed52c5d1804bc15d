using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private static readonly TrainingData Data = new([1, 2, 3, 4, 5], [], 2, FakeModel.Vocabulary);

    private string Root => _folder.File("run");

    [Fact]
    public void TheModelIsAModelLikeAnyOther()
    {
        var path = Save(3);

        using var file = GgufFile.Open(TrainingCheckpoint.ModelIn(path));
        var config = RetNetGguf.ReadConfig(file);
        Assert.Equal(FakeModel.Vocabulary, config.VocabularySize);
        Assert.Equal(7u, file.GetUInt32("tokenizer.ggml.eos_token_id"));
        Assert.Equal(GgmlType.F32, file.GetTensor("token_embd.weight").Type.Type);
    }

    [Fact]
    public void EverythingComesBack()
    {
        var state = new TrainingState
        {
            Step = 12,
            LossScale = new(32768, 17, Dynamic: true),
            Seconds = 12.5,
            History = [new(0, float.NaN, 3, float.NaN, float.NaN, 1, 0, 0), new(12, 2.5f, float.NaN, 0.1f, float.PositiveInfinity, 65536, 8, 11)],
        };
        using var model = new FakeModel(1) { Updates = 11 };
        using var checkpoint = TrainingCheckpoint.Open(Save(12, model, state));
        using var restored = new FakeModel(1);
        checkpoint.Restore(restored, Data);

        Assert.Equal(state.History, checkpoint.State.History);
        Assert.Equal(state with { History = [] }, checkpoint.State with { History = [] });
        Assert.Equal("4", checkpoint.Settings["batch"]);
        Assert.Equal(11, restored.Updates);
    }

    [Fact]
    public void TheNewestAreKept()
    {
        foreach (var step in new[] { 2, 900000, 10, 1000001 })
            Save(step);
        using var folder = CheckpointFolder.Open(Root);
        folder.Keep(2);

        Assert.Equal(["step-1000001", "step-900000"], Directory.EnumerateDirectories(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.EndsWith("step-1000001", folder.Latest, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAKilledRunLeftIsNoCheckpointAndGoesAway()
    {
        Save(5);
        Directory.CreateDirectory(Path.Combine(Root, "step-000010.part"));
        File.WriteAllText(Path.Combine(Root, "step-000010.part", "model.gguf.part"), "half");
        Directory.CreateDirectory(Path.Combine(Root, "step-000003.old.part"));
        Directory.CreateDirectory(Path.Combine(Root, "notes"));
        Directory.CreateDirectory(Path.Combine(Root, "step-by-step"));

        Assert.EndsWith("step-000005", CheckpointFolder.LatestIn(Root), StringComparison.Ordinal);
        using (CheckpointFolder.Open(Root))
            Assert.Equal(["notes", "step-000005", "step-by-step"], Directory.EnumerateDirectories(Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TwoRunsDoNotShareAFolder()
    {
        using (CheckpointFolder.Open(Root))
            Assert.Contains("another run is writing here", Assert.Throws<TrainingException>(() => CheckpointFolder.Open(Root)).Message, StringComparison.Ordinal);
        CheckpointFolder.Open(Root).Dispose();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Root));
    }

    [Fact]
    public void AFileIsNoFolder()
    {
        File.WriteAllText(Root, "");
        Assert.Contains("cannot be written", Assert.Throws<TrainingException>(() => CheckpointFolder.Open(Root)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state.gguf", 0.5)]
    [InlineData("state.gguf", 0.97)]
    [InlineData("state.gguf", 0)]
    [InlineData("model.gguf", 0.9)]
    public void ATruncatedFileIsRefused(string name, double share)
    {
        var path = Save(5);
        var file = Path.Combine(path, name);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..(int)(new FileInfo(file).Length * share)]);

        Refused($"delete {path} to go on from the checkpoint before it", path);
    }

    [Theory]
    [InlineData("state.gguf")]
    [InlineData("model.gguf")]
    public void AMissingFileIsRefused(string name)
    {
        var path = Save(5);
        File.Delete(Path.Combine(path, name));

        Refused("no such file", path);
    }

    [Fact]
    public void AnotherRunsModelIsRefused()
    {
        var path = Save(5);
        using var other = new FakeModel(1);
        other.LoadWeights(Enumerable.Repeat(1f, FakeModel.Vocabulary).ToArray());
        File.Copy(TrainingCheckpoint.ModelIn(Save(6, other)), TrainingCheckpoint.ModelIn(path), overwrite: true);

        Refused("is not the model that state.gguf beside it belongs to", path);
    }

    [Fact]
    public void AModelIsNoState()
    {
        var path = Save(5);
        File.Copy(TrainingCheckpoint.ModelIn(path), Path.Combine(path, "state.gguf"), overwrite: true);

        Refused("is no training state", path);
    }

    [Fact]
    public void AnotherTextIsRefused()
    {
        using var checkpoint = TrainingCheckpoint.Open(Save(5));
        using var model = new FakeModel(1);

        Assert.Contains("was begun with another text", Assert.Throws<TrainingException>(() => checkpoint.Restore(model, new([1, 2, 3, 4, 6], [], 2, FakeModel.Vocabulary))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Save(int step, FakeModel? model = null, TrainingState? state = null)
    {
        using var own = model is null ? new FakeModel(1) : null;
        using var folder = CheckpointFolder.Open(Root);
        var run = new TrainingRun(new Dictionary<string, string> { ["batch"] = "4" }, [new("tokenizer.ggml.eos_token_id", 7u)]);
        return folder.Save(step, part => TrainingCheckpoint.Write(part, model ?? own!, Data.Fingerprint, run, state ?? new() { Step = step, LossScale = LossScale.None, History = [new(step, 1, 1, 1, 1, 1, 1, 1)] }));
    }

    private static void Refused(string expected, string path)
    {
        var message = Assert.Throws<TrainingException>(() => TrainingCheckpoint.Open(path)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
