using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>The parallel and the chunkwise form on the device: against the oracle, each other, and the recurrent form.</summary>
[Collection(TestDevices.Collection)]
public sealed class SequenceBatchTests(TestDevices devices) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string> Devices => TestDevices.All;

    public static TheoryData<int, string, string> Shapes
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var shape in ModelShapes.Names)
                    data.Add((int)device[0], (string)device[1], shape);
            return data;
        }
    }

    private string ModelPath => _folder.File("model.gguf");

    /// <summary>Chunk lengths; null is the parallel form.</summary>
    private static int?[] ChunkLengths => [1, 16, 64, 128, null];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryFormEqualsTheOracle(int device, string name, string shape)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], shape, "f32", ModelPath);
        var random = ModelShapes.Create(shape);
        var tokens = random.Tokens(150, seed: 3);
        var state = new ReferenceState(model.Config);
        var expected = random.Reference.Recurrent(tokens, state);
        foreach (var chunkLength in ChunkLengths)
        {
            using var batch = new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = chunkLength, PassLength = 150 });
            Tolerance.Near(expected, Logits(batch, [tokens])[0], 1e-5);
            var states = Enumerable.Range(0, model.Config.Layers).Select(layer => batch.State.Read(layer)).ToArray();
            for (var layer = 0; layer < model.Config.Layers; layer++)
                Tolerance.Near(state.Layer(layer).ToArray(), states[layer], 1e-5);

            // Without logits the last layer ends with its state, which is the same.
            batch.Reset();
            batch.Feed([tokens]);
            for (var layer = 0; layer < model.Config.Layers; layer++)
                Assert.Equal(states[layer], batch.State.Read(layer));
        }
    }

    /// <summary>Many devices allow 65,535 workgroups in a row; the head norm of many tokens takes one a token and head.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void APassMayHaveMoreHeadsThanADispatchHasWorkgroups(int device, string name)
    {
        _ = name;
        const int length = 9_000;
        var random = new RandomModel(RandomModel.Shape(layers: 2, width: 32, heads: 8, keySize: 2, valueSize: 4, feedForward: 16, vocabulary: 11), seed: 4, _ => false);
        using var model = ModelShapes.Load(devices[device], random, "f32", ModelPath);
        var tokens = random.Tokens(length, seed: 3);
        using var pieces = new SequenceBatch(model, 1, new SequenceOptions { PassLength = 1_000 });
        using var whole = new SequenceBatch(model, 1, new SequenceOptions { PassLength = length });

        pieces.Feed([tokens]);
        whole.Feed([tokens]);

        Tolerance.Near(pieces.State.Read(1), whole.State.Read(1), 1e-5);
    }

    /// <summary>The kernels of many tokens, also where the device would not choose them.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void TiledProductsEqualTheOracle(int device, string name, string shape)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], shape, "q8_0", ModelPath);
        var tokens = ModelShapes.Create(shape).Tokens(70, seed: 3);
        using var session = new RecurrentSession(model);
        float[] recurrent = [.. session.Logits(tokens).SelectMany(row => row)];
        using var batch = new SequenceBatch(model, 1, new SequenceOptions { PassLength = 70, Products = MatMulKind.Tile });
        Tolerance.Near(recurrent, Logits(batch, [tokens])[0], 1e-5);
    }

    /// <summary>f16 inputs of products are 10⁻³ off or so, and no more: on devices with matrix units.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void HalfPrecisionIsNearFull(int device, string name, string shape)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], shape, "f16", ModelPath);
        var tokens = ModelShapes.Create(shape).Tokens(150, seed: 3);
        var options = new SequenceOptions { PassLength = 150, Precision = ProductPrecision.F16 };
        if (MatMulPlan.KindFor(devices[device].Capabilities, ProductPrecision.F16) is null)
        {
            Assert.Contains("matrix units", Assert.Throws<GpuException>(() => new SequenceBatch(model, 1, options)).Message, StringComparison.Ordinal);
            return;
        }

        using var session = new RecurrentSession(model);
        float[] recurrent = [.. session.Logits(tokens).SelectMany(row => row)];
        using var batch = new SequenceBatch(model, 1, options);
        Tolerance.Near(recurrent, Logits(batch, [tokens])[0], 1e-2);
    }

    /// <summary>Every length, chunk and split gives what token by token gives.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void FormsAgreeAtEveryLengthAndSplit(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        var tokens = ModelShapes.Create("odd widths").Tokens(520, seed: 4);
        using var session = new RecurrentSession(model);
        float[] recurrent = [.. session.Logits(tokens).SelectMany(row => row)];
        var width = model.Config.VocabularySize;
        foreach (var chunkLength in ChunkLengths)
        {
            using var batch = new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = chunkLength, PassLength = 520 });
            foreach (var length in new[] { 1, 2, 7, 63, 64, 65, 127, 150, 520 })
            {
                batch.Reset();
                Tolerance.Near(recurrent[..(length * width)], Logits(batch, [tokens[..length]])[0], 1e-5);
            }

            foreach (var split in new[] { 1, 64, 100, 519 })
            {
                batch.Reset();
                float[] split1 = Logits(batch, [tokens[..split]])[0], split2 = Logits(batch, [tokens[split..]])[0];
                Tolerance.Near(recurrent, [.. split1, .. split2], 1e-5);
            }
        }
    }

    /// <summary>What a pass cannot hold goes into further passes; the next token may follow in any form.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void SequencesOfDifferentLengthsGoThroughPassesTogether(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "grouped values, plain eps, relu", "f32", ModelPath);
        var random = ModelShapes.Create("grouped values, plain eps, relu");
        int[][] sequences = [random.Tokens(70, 1), [], random.Tokens(1, 2), random.Tokens(131, 3), random.Tokens(16, 4)];
        using var batch = new SequenceBatch(model, sequences.Length, new SequenceOptions { ChunkLength = 16, PassLength = 48 });
        var actual = Logits(batch, sequences);
        for (var i = 0; i < sequences.Length; i++)
        {
            Assert.Equal(sequences[i].Length, batch.State.Positions[i]);
            var state = new ReferenceState(model.Config);
            if (sequences[i].Length > 0)
                Tolerance.Near(random.Reference.Recurrent(sequences[i], state), actual[i], 1e-5);
            Tolerance.Near(state.Layer(0).ToArray(), batch.State.Read(0, i), 1e-5);
        }
    }

    /// <summary>States in f16 lose digits, not more: every step of the recurrent form rounds them once.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void HalfStatesStayClose(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        var random = ModelShapes.Create("odd widths");
        var tokens = random.Tokens(200, seed: 5);
        var state = new ReferenceState(model.Config);
        var expected = random.Reference.Recurrent(tokens, state);
        using var batch = new SequenceBatch(model, 1, new SequenceOptions { StateType = StateType.F16, PassLength = 128 });
        using var session = new RecurrentSession(model, StateType.F16);
        Tolerance.Near(expected, Logits(batch, [tokens])[0], 1e-2);
        session.Feed(tokens.AsMemory(0, 100));
        float[] rest = [.. session.Logits(tokens.AsSpan(100)).SelectMany(row => row)];
        Tolerance.Near(expected[^rest.Length..], rest, 1e-2);
        for (var layer = 0; layer < model.Config.Layers; layer++)
        {
            Tolerance.Near(state.Layer(layer).ToArray(), batch.State.Read(layer), 1e-2);
            Tolerance.Near(state.Layer(layer).ToArray(), session.State.Read(layer), 1e-2);
            var saved = session.State.Read(layer);
            session.State.Write(layer, saved);
            Assert.Equal(saved, session.State.Read(layer));
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RefusesWhatTheParallelFormCannotTake(int device, string name)
    {
        _ = name;
        using var model = ModelShapes.Load(devices[device], "odd widths", "f32", ModelPath);
        using var batch = new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = null, PassLength = 8, TorchscaleClamp = true });
        Assert.Contains("9 tokens are more than the 8 of a pass", Assert.Throws<ArgumentException>(() => batch.Feed([new int[9]])).Message, StringComparison.Ordinal);
        Assert.Contains("outside the vocabulary", Assert.Throws<ArgumentException>(() => batch.Feed([new[] { 97 }])).Message, StringComparison.Ordinal);
        batch.Feed([new int[2]]);
        Assert.Contains("needs a sequence from its first token", Assert.Throws<ArgumentException>(() => batch.Feed([new int[2]])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = 8, TorchscaleClamp = true }));
        Assert.Throws<ArgumentException>(() => new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = 0 }));
        using var plain = ModelShapes.Load(devices[device], "grouped values, plain eps, relu", "f32", ModelPath);
        Assert.Throws<ModelException>(() => new SequenceBatch(plain, 1, new SequenceOptions { ChunkLength = null, TorchscaleClamp = true }));
    }

    private static float[][] Logits(SequenceBatch batch, int[][] tokens)
    {
        var result = tokens.Select(_ => new List<float>()).ToArray();
        batch.Feed([.. tokens.Select(ids => (ReadOnlyMemory<int>)ids)], (sequence, index, logits) =>
        {
            Assert.Equal(index * logits.Length, result[sequence].Count);
            result[sequence].AddRange(logits);
        });
        return [.. result.Select(list => list.ToArray())];
    }
}
