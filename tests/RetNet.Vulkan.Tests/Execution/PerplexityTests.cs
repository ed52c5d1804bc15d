using RetNet.Vulkan.Execution;

namespace RetNet.Vulkan.Tests.Execution;

[Collection(TestDevices.Collection)]
public sealed class PerplexityTests(TestDevices devices) : IDisposable
{
    private const string Shape = "odd widths";
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int, string> Devices => TestDevices.All;

    public void Dispose() => _folder.Dispose();

    /// <summary>Windows begin anew, the last one is shorter, and every form gives the oracle's sum.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void EveryFormGivesTheOraclesNll(int device, string name)
    {
        _ = name;
        const int window = 24;
        using var model = ModelShapes.Load(devices[device], Shape, "f32", _folder.File("model.gguf"));
        var random = ModelShapes.Create(Shape);
        var tokens = random.Tokens(60, seed: 5);
        var expected = 0.0;
        for (var start = 0; start + 1 < tokens.Length; start += window)
        {
            var inputs = tokens[start..Math.Min(start + window, tokens.Length - 1)];
            var rows = random.Reference.Recurrent(inputs).Chunk(model.Config.VocabularySize).ToArray();
            expected += rows.Select((row, i) => Math.Log(row.Sum(Math.Exp)) - row[tokens[start + i + 1]]).Sum();
        }

        foreach (var mode in Enum.GetValues<ComputationMode>())
        {
            var result = Perplexity.Evaluate(model, tokens, window, new EvaluationOptions { Mode = mode, ChunkLength = 7 });
            Assert.Equal(59, result.Tokens);
            Assert.Equal(expected, result.Sum, 1e-5 * expected);
            Assert.Equal(Math.Exp(expected / 59), result.Value, 1e-4 * result.Value);
        }
    }

    [Fact]
    public void TellsItsProgressAndCanBeCancelled()
    {
        using var model = ModelShapes.Load(devices[(int)TestDevices.All.First()[0]], Shape, "f32", _folder.File("model.gguf"));
        var tokens = ModelShapes.Create(Shape).Tokens(30, seed: 6);
        using var source = new CancellationTokenSource();
        var reports = new Reports(source);
        Assert.Throws<OperationCanceledException>(() => Perplexity.Evaluate(model, tokens, 10, new EvaluationOptions(), reports, source.Token));
        Assert.Equal([10L, 20L], reports.Tokens);
        Assert.Throws<ArgumentException>(() => Perplexity.Evaluate(model, tokens.AsMemory(0, 1), 10, new EvaluationOptions()));
    }

    /// <summary>Cancels at the second report.</summary>
    private sealed class Reports(CancellationTokenSource source) : IProgress<Perplexity>
    {
        public List<long> Tokens { get; } = [];

        public void Report(Perplexity value)
        {
            Tokens.Add(value.Tokens);
            if (Tokens.Count == 2)
                source.Cancel();
        }
    }
}
