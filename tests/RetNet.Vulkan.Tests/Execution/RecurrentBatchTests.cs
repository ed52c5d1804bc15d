using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>Decoding together gives each sequence what it gets alone.</summary>
[Collection(TestDevices.Collection)]
public sealed class RecurrentBatchTests(TestDevices devices) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string> Devices => TestDevices.All;

    public static TheoryData<int, string, int, string> SizesAndShapes
    {
        get
        {
            var data = new TheoryData<int, string, int, string>();
            foreach (var device in TestDevices.All)
                foreach (var (size, shape) in new[] { (1, "odd widths"), (3, "LayerNorm, biases, plain FFN"), (5, "grouped values, plain eps, relu"), (17, "odd widths") })
                    data.Add((int)device[0], (string)device[1], size, shape);
            return data;
        }
    }

    private string ModelPath => _folder.File("model.gguf");

    /// <summary>Prompts, samplers, lengths and ends of every kind; more sequences than places, so that places are taken again.</summary>
    [Theory]
    [MemberData(nameof(SizesAndShapes))]
    public void EachSequenceHasTheTokensThatItHasAlone(int device, string name, int size, string shape)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], shape, "f32", ModelPath);
        var requests = Requests(size + 4, model.Config.VocabularySize);
        using var batch = new RecurrentBatch(model, size);

        var actual = Decode(batch, requests);

        Assert.Equal(size, batch.Free);
        using var session = new RecurrentSession(model);
        for (var i = 0; i < requests.Length; i++)
            Assert.Equal(Alone(session, requests[i]), actual[i]);
        Assert.Contains(actual.Zip(requests), pair => pair.First.Count < pair.Second.MaxTokens);
    }

    /// <summary>A state is what the sequence's last step left, bit for bit, while others go on and others begin.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void AnEndedSequenceKeepsItsState(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        using var batch = new RecurrentBatch(model, 3);
        int[] prompt = [5, 17, 96];
        var greedy = new SequenceRequest { Prompt = prompt, Sampler = SamplerOptions.Greedy };
        var added = batch.Add(greedy with { MaxTokens = 6 }, greedy with { Prompt = new[] { 1 }, MaxTokens = 60 });
        while (!added[0].HasEnded)
            batch.Next();
        var ended = batch.State.Read(1, added[0].Slot);
        batch.Add(new SequenceRequest { Prompt = Enumerable.Range(0, 80).ToArray(), MaxTokens = 9 });
        // The place of the one that has ended is the first to be taken, so it is the last place that stays empty.
        var empty = batch.State.Read(1, 2);
        while (batch.Next().Count > 0)
            Assert.Equal(empty, batch.State.Read(1, 2));

        Assert.All(empty, value => Assert.Equal(0, value));
        using var session = new RecurrentSession(model);
        Assert.Equal(6, session.Generate(prompt, 6, SamplerOptions.Greedy).Count());
        Tolerance.Near([.. session.State.Read(1).Select(value => (double)value)], ended, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void HalfStatesDecodeTogetherAsAlone(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        var requests = Requests(5, model.Config.VocabularySize);
        using var batch = new RecurrentBatch(model, 3, StateType.F16);
        var actual = Decode(batch, requests);
        using var session = new RecurrentSession(model, StateType.F16);
        for (var i = 0; i < requests.Length; i++)
            Assert.Equal(Alone(session, requests[i]), actual[i]);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void AStoppedSequenceGivesItsPlaceToAnother(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        var requests = Requests(3, model.Config.VocabularySize);
        using var batch = new RecurrentBatch(model, 2);
        var endless = batch.Add(requests[0] with { MaxTokens = long.MaxValue, Ends = [] })[0];
        var other = batch.Add(requests[1])[0];
        var tokens = new Dictionary<BatchedSequence, List<int>> { [other] = [] };
        for (var i = 0; i < 5; i++)
            Collect(batch.Next(), tokens);

        batch.Stop(endless);
        batch.Stop(endless);
        Assert.True(endless.HasEnded);
        tokens.Remove(endless);
        var third = batch.Add(requests[2])[0];
        Assert.Equal(endless.Slot, third.Slot);
        while (batch.Next() is { Count: > 0 } next)
            Collect(next, tokens);

        Assert.DoesNotContain(endless, tokens.Keys);
        using var session = new RecurrentSession(model);
        Assert.Equal(Alone(session, requests[1]), tokens[other]);
        Assert.Equal(Alone(session, requests[2]), tokens[third]);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RefusesWhatItCannotDecode(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RecurrentBatch(model, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RecurrentBatch(model, RecurrentBatch.MostSequences + 1));
        using var batch = new RecurrentBatch(model, 2);
        var sound = new SequenceRequest { Prompt = new[] { 1 } };
        Refuses("3 sequences do not fit; 2 of 2 places are free", sound, sound, sound);
        Refuses("the prompt has no token", sound, sound with { Prompt = default });
        Refuses("token 97 is outside the vocabulary", sound with { Prompt = new[] { 97 } });
        Refuses("token -1 is outside the vocabulary", sound with { Ends = [-1] });
        Refuses("at most 8 tokens may end a sequence", sound with { Ends = [.. Enumerable.Range(0, 9)] });
        Refuses("at least 1 token is sampled", sound with { MaxTokens = 0 });
        Refuses("the temperature must be", sound with { Sampler = new() { Temperature = -1 } });
        Assert.Equal(2, batch.Free);
        Assert.Empty(batch.Add());
        Assert.Empty(batch.Next());

        void Refuses(string message, params SequenceRequest[] requests) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => batch.Add(requests)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RefusesLogitsThatAreNoNumbers(int device, string name)
    {
        _ = name;
        var weights = ModelShapes.Create("odd widths");
        weights.Tensor("output_norm.weight")![7] = float.NaN;
        using var model = ModelShapes.Load(devices[device], weights, "f32", ModelPath);
        using var batch = new RecurrentBatch(model, 3);
        batch.Add(Requests(2, model.Config.VocabularySize));

        Assert.Contains("are no numbers", Assert.Throws<GpuException>(batch.Next).Message, StringComparison.Ordinal);
    }

    private static SequenceRequest[] Requests(int count, int vocabulary)
    {
        SamplerOptions[] samplers =
        [
            SamplerOptions.Greedy,
            new() { Temperature = 1.3f },
            new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 },
            SamplerOptions.Greedy with { RepeatPenalty = 1.3f, RepeatWindow = 20 },
            new() { Temperature = 2, TopK = 5, RepeatPenalty = 1.1f },
        ];
        int[] lengths = [1, 3, 9, 70, 2, 131];
        var random = new Random(41);
        return [.. Enumerable.Range(0, count).Select(i => new SequenceRequest
        {
            Prompt = random.GetItems([.. Enumerable.Range(0, vocabulary)], lengths[i % lengths.Length]),
            MaxTokens = 1 + i * 11 % 40,
            Sampler = samplers[i % samplers.Length] with { Seed = (ulong)i },
            Ends = i % 2 == 0 ? [] : random.GetItems([.. Enumerable.Range(0, vocabulary)], SequenceRequest.MostEnds),
        })];
    }

    private static List<int>[] Decode(RecurrentBatch batch, SequenceRequest[] requests)
    {
        var tokens = new Dictionary<BatchedSequence, List<int>>();
        var added = new List<BatchedSequence>();
        do
            added.AddRange(batch.Add([.. requests.Skip(added.Count).Take(batch.Free)]));
        while (Collect(batch.Next(), tokens));
        return [.. added.Select(sequence => tokens[sequence])];
    }

    private static bool Collect(IReadOnlyList<BatchToken> next, Dictionary<BatchedSequence, List<int>> tokens)
    {
        var ended = new List<BatchedSequence>();
        foreach (var (sequence, token, isLast) in next)
        {
            Assert.DoesNotContain(sequence, ended);
            if (isLast)
                ended.Add(sequence);
            if (!tokens.TryGetValue(sequence, out var list))
                tokens.Add(sequence, list = []);
            list.Add(token);
        }

        Assert.All(ended, sequence => Assert.True(sequence.HasEnded));
        return next.Count > 0;
    }

    private static List<int> Alone(RecurrentSession session, SequenceRequest request)
    {
        session.Reset();
        var tokens = new List<int>();
        foreach (var token in session.Generate(request.Prompt, request.MaxTokens, request.Sampler))
        {
            tokens.Add(token);
            if (request.Ends.Contains(token))
                break;
        }

        return tokens;
    }
}
