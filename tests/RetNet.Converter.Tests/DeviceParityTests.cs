using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using Xunit.Abstractions;

namespace RetNet.Converter.Tests;

/// <summary>
/// Every fixture converted to f32, and every form on every device against what the framework's own code gave in float32.
/// What was measured is written to the test's output; docs/numerics.md has it.
/// </summary>
[Collection(TestDevices.Collection)]
public sealed class DeviceParityTests(TestDevices devices, ITestOutputHelper output)
{
    private const double Parity = 1e-5;

    // The clamp of torchscale's parallel and chunkwise forms shifts ε; over 520 tokens torchscale's float32 angles add to that.
    private const double OtherEps = 1e-4;
    private const int ChunkLength = 8;
    private const int GreedyPrompt = 8;

    public static TheoryData<int, string, string> Fixtures => OnDevices(FrameworkFixture.All);

    /// <summary>Those whose frameworks' parallel form divides by a clamped sum of scores.</summary>
    public static TheoryData<int, string, string> ClampedFixtures => OnDevices([.. FrameworkFixture.Torchscale, .. FrameworkFixture.Syncdoth]);

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void RecurrentLogitsStatesAndTokensAreTheFrameworks(int device, string name, string fixtureName)
    {
        _ = name;
        using var fixture = new FrameworkFixture(fixtureName);
        using var model = RetNetModel.Load(devices[device], fixture.File, new MemoryPlan());
        using var session = new RecurrentSession(model);
        List<float> logits = [];
        for (var sequence = 0; sequence < fixture.Batch.Length; sequence++)
        {
            session.Reset();
            logits.AddRange(session.Logits(fixture.Batch[sequence]).SelectMany(row => row));
            RequireState(fixture, session.State, sequence, slot: 0);
        }

        Report(fixture.PlainLogits, Tolerance.Near(fixture.Floats(fixture.PlainLogits), [.. logits], Parity));
        if (!fixture.Has("greedy.ids"))
            return;
        var expected = fixture.Ints("greedy.ids");
        session.Reset();
        Assert.Equal(expected[GreedyPrompt..], session.Generate(expected.AsMemory(0, GreedyPrompt), expected.Length - GreedyPrompt, SamplerOptions.Greedy));
    }

    /// <summary>The second sequence whole beside the beginning of the first, then the rest of the first, then the long one after a reset.</summary>
    [Theory]
    [MemberData(nameof(Fixtures))]
    public void ChunkwiseLogitsAndStatesAreTheFrameworks(int device, string name, string fixtureName)
    {
        _ = name;
        const int split = 19;
        using var fixture = new FrameworkFixture(fixtureName);
        using var model = RetNetModel.Load(devices[device], fixture.File, new MemoryPlan());
        using var batch = new SequenceBatch(model, 2, new SequenceOptions { ChunkLength = ChunkLength, PassLength = 64 });
        var (first, second) = (fixture.Batch[0], fixture.Batch[1]);
        var begun = Feed(batch, first.AsMemory(0, split), second);
        var ended = Feed(batch, first.AsMemory(split), default);
        float[] logits = [.. begun[0], .. ended[0], .. begun[1]];
        Report(fixture.PlainLogits, Tolerance.Near(fixture.Floats(fixture.PlainLogits), logits, Parity));
        for (var sequence = 0; sequence < 2; sequence++)
            RequireState(fixture, batch.State, sequence, sequence);
        foreach (var form in new[] { "logits_parallel", "logits_chunkwise8" }.Where(fixture.Has))
            Report(form, Tolerance.Near(fixture.Floats(form), logits, EpsilonBound(fixtureName, form)));
        RequireLong(fixture, batch);
    }

    [Theory]
    [MemberData(nameof(ClampedFixtures))]
    public void WithTheClampParallelLogitsAreTheFrameworks(int device, string name, string fixtureName)
    {
        _ = name;
        using var fixture = new FrameworkFixture(fixtureName);
        using var model = RetNetModel.Load(devices[device], fixture.File, new MemoryPlan());
        var options = new SequenceOptions { ChunkLength = null, PassLength = fixture.Batch.Sum(ids => ids.Length), TorchscaleClamp = true };
        using var batch = new SequenceBatch(model, 2, options);
        var logits = Feed(batch, fixture.Batch[0], fixture.Batch[1]);
        Report("logits_parallel", Tolerance.Near(fixture.Floats("logits_parallel"), [.. logits[0], .. logits[1]], Parity));

        batch.Reset();
        var shorter = Feed(batch, fixture.Batch[0], fixture.Batch[1].AsMemory(0, 5));
        Tolerance.Near(logits[0], shorter[0], 1e-5);
        Tolerance.Near(logits[1][..shorter[1].Length], shorter[1], 1e-5);
    }

    private static TheoryData<int, string, string> OnDevices(string[] fixtures)
    {
        var data = new TheoryData<int, string, string>();
        foreach (var device in TestDevices.All)
            foreach (var fixture in fixtures)
                data.Add((int)device[0], (string)device[1], fixture);
        return data;
    }

    /// <summary>torchscale's other forms have another ε; where activations are small and that decides, its chunkwise form differs from its recurrent one by 0.03.</summary>
    private static double EpsilonBound(string fixture, string form) => (fixture, form) == ("torchscale_deepnorm", "logits_chunkwise8") ? 0.05 : OtherEps;

    private static float[][] Feed(SequenceBatch batch, params ReadOnlyMemory<int>[] tokens)
    {
        var logits = tokens.Select(_ => new List<float>()).ToArray();
        batch.Feed(tokens, (sequence, _, row) => logits[sequence].AddRange(row));
        return [.. logits.Select(list => list.ToArray())];
    }

    private void RequireLong(FrameworkFixture fixture, SequenceBatch batch)
    {
        if (!fixture.Has("long.ids"))
            return;
        batch.Reset();
        var logits = Feed(batch, fixture.Ints("long.ids"), default)[0];
        var expected = fixture.Floats(fixture.Has("long.logits") ? "long.logits" : "long.logits_last");
        Report("long", Tolerance.Near(expected, logits[^expected.Length..], OtherEps));
    }

    /// <summary>torchscale keeps KV = Σ γ^(n−m) v_m k̂_mᵀ / √S_n as [B, H, dv, dk], and S_n as scale [H].</summary>
    private void RequireState(FrameworkFixture fixture, RetentionState state, int sequence, int slot)
    {
        var config = fixture.Oracle.Config;
        var size = config.Heads * config.KeySize * config.ValueSize;
        for (var layer = 0; fixture.Has($"state.{layer}"); layer++)
        {
            var (ours, scale) = (state.Read(layer, slot), fixture.Floats($"state_scale.{layer}"));
            var actual = new float[size];
            for (var i = 0; i < size; i++)
            {
                var (head, value, key) = (i / (config.KeySize * config.ValueSize), i / config.KeySize % config.ValueSize, i % config.KeySize);
                actual[i] = ours[(head * config.KeySize + key) * config.ValueSize + value] / MathF.Sqrt(scale[head]);
            }

            Report($"state.{layer}", Tolerance.Near(fixture.Floats($"state.{layer}").AsSpan(sequence * size, size).ToArray(), actual, Parity));
        }
    }

    private void Report(string what, double difference) => output.WriteLine($"{what} {difference:0.0e0}");
}
