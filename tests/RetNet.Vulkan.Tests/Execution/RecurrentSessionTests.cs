using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Execution;

[Collection(TestDevices.Collection)]
public sealed class RecurrentSessionTests(TestDevices devices) : IDisposable
{
    private const int Seed = 20260;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string> Devices => TestDevices.All;

    public static TheoryData<int, string, string, string> ShapesAndTypes
    {
        get
        {
            var data = new TheoryData<int, string, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var shape in ModelShapes.Names)
                    foreach (var type in BlockType.All)
                        data.Add((int)device[0], (string)device[1], shape, type.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(ShapesAndTypes))]
    public void LogitsEqualTheOracle(int device, string name, string shape, string type)
    {
        _ = name;
        using var model = Load(device, shape, type);
        using var file = GgufFile.Open(ModelPath);
        using var session = new RecurrentSession(model);
        var oracle = ReferenceModel.Load(file);
        var tokens = new Random(Seed).GetItems(Enumerable.Range(0, model.Config.VocabularySize).ToArray(), 37);

        var expected = oracle.Recurrent(tokens);
        var actual = session.Logits(tokens);

        Assert.Equal(tokens.Length, session.Position);
        Tolerance.Near(expected, [.. actual.SelectMany(row => row)], 1e-5);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void GreedyDecodingTakesTheLargestLogit(int device, string name)
    {
        _ = name;
        using var loaded = Load(device, "odd widths", "f16");
        using var session = new RecurrentSession(loaded);
        int[] prompt = [5, 17, 96];
        var generated = session.Generate(prompt, 40, SamplerOptions.Greedy).ToArray();

        Assert.Equal(prompt.Length + generated.Length - 1, session.Position);
        session.Reset();
        var logits = session.Logits([.. prompt, .. generated[..^1]]);
        Assert.Equal(logits[(prompt.Length - 1)..].Select(row => Array.IndexOf(row, row.Max())), generated);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void TheSameSeedGivesTheSameTokensHoweverThePromptIsFed(int device, string name)
    {
        _ = name;
        using var loaded = Load(device, "odd widths", "q8_0");
        using var session = new RecurrentSession(loaded);
        var prompt = Enumerable.Range(0, 90).Select(i => i * 7 % 97).ToArray();
        var options = new SamplerOptions { Temperature = 1.5f, Seed = 12, RepeatPenalty = 1.2f };

        var first = session.Generate(prompt, 50, options).ToArray();
        session.Reset();
        session.Feed(prompt.AsMemory(0, 33));
        session.Feed(default);
        Assert.Equal(first, session.Generate(prompt.AsMemory(33), 50, options));
        session.Reset();
        Assert.NotEqual(first, session.Generate(prompt, 50, options with { Seed = 13 }));
    }

    /// <summary>Far beyond the token log's ring: state and logits are still the oracle's.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void LongSequencesKeepToTheOracle(int device, string name)
    {
        _ = name;
        using var loaded = Load(device, "odd widths", "f32");
        using var session = new RecurrentSession(loaded);
        using var file = GgufFile.Open(ModelPath);
        var oracle = ReferenceModel.Load(file);
        var state = new ReferenceState(oracle.Config);
        var tokens = new Random(3).GetItems(Enumerable.Range(0, 97).ToArray(), TokenLog.Capacity + 300);

        session.Feed(tokens.AsMemory(0, tokens.Length - 1));
        var actual = session.Logits(tokens.AsSpan(tokens.Length - 1));
        var expected = oracle.Recurrent(tokens, state);

        Tolerance.Near(expected[^97..], actual[0], 2e-5);
        for (var layer = 0; layer < oracle.Config.Layers; layer++)
            Tolerance.Near(state.Layer(layer).ToArray(), session.State.Read(layer), 2e-5);
    }

    /// <summary>The embedding of a token that is sampled is broken: what came before it, and it, are still right.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void RefusesLogitsThatAreNoNumbers(int device, string name)
    {
        _ = name;
        const string shape = "dv 54, embedding norm, scaled";
        int[] prompt = [5, 17, 96], expected;
        using (var sound = Load(device, shape, "f32"))
        using (var session = new RecurrentSession(sound))
            expected = [.. session.Generate(prompt, 40, SamplerOptions.Greedy)];
        var broken = expected.First(token => !prompt.Contains(token));
        expected = [.. expected.TakeWhile(token => token != broken), broken];
        var weights = ModelShapes.Create(shape);
        weights.Tensor("token_embd.weight")![broken * weights.Config.Width + 3] = float.NaN;
        using var loaded = ModelShapes.Load(devices[device], weights, "f32", ModelPath);
        using var other = new RecurrentSession(loaded);
        var actual = new List<int>();

        var error = Assert.Throws<GpuException>(() =>
        {
            foreach (var token in other.Generate(prompt, 40, SamplerOptions.Greedy))
                actual.Add(token);
        });

        Assert.Contains($"the logits of token {prompt.Length + expected.Length} are no numbers", error.Message, StringComparison.Ordinal);
        Assert.Equal(expected, actual);
        Assert.Equal((expected[^1], prompt.Length + expected.Length - 1), (other.Pending, other.Position));
        // A penalty looks at the tokens so far: none of them may be outside the vocabulary.
        Assert.Throws<GpuException>(() => other.Generate(prompt, 40, SamplerOptions.Greedy with { RepeatPenalty = 1.1f }).Count());
        other.Reset();
        Assert.Equal(expected, other.Generate(prompt, expected.Length, SamplerOptions.Greedy, runAhead: false));
    }

    [Fact]
    public void RefusesTokensOutsideTheVocabularyAndEmptyPrompts()
    {
        using var loaded = Load((int)TestDevices.All.First()[0], "odd widths", "f32");
        using var session = new RecurrentSession(loaded);
        Assert.Contains("token 97 is outside the vocabulary of 97", Assert.Throws<ArgumentException>(() => session.Feed(new[] { 3, 97 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Generate(new[] { -1 }, 1, SamplerOptions.Greedy));
        Assert.Throws<ArgumentException>(() => session.Generate(Array.Empty<int>(), 1, SamplerOptions.Greedy));
        Assert.Equal(0, session.Position);
    }

    private string ModelPath => _folder.File("model.gguf");

    private RetNetModel Load(int device, string shape, string type) => ModelShapes.Load(devices[device], shape, type, ModelPath);
}
