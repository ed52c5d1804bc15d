using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Model;

/// <summary>Models whose weights the device makes.</summary>
[Collection(TestDevices.Collection)]
public sealed class RandomModelTests(TestDevices devices)
{
    // Rows of 42 and 72 are no whole blocks, and of f16 and bf16 they end within a quad.
    private static RetNetConfig Config { get; } = RandomModel.Shape(layers: 3, width: 96, heads: 3, keySize: 16, valueSize: 14, feedForward: 72, vocabulary: 301);

    public static TheoryData<int, string, GgmlType> Types
    {
        get
        {
            var data = new TheoryData<int, string, GgmlType>();
            foreach (var device in TestDevices.All)
                foreach (var type in BlockType.All)
                    data.Add((int)device[0], (string)device[1], type.Type);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void LogitsAreFiniteAndOfSensibleSize(int device, string name, GgmlType type)
    {
        _ = name;
        var logits = Logits(device, type, seed: 1);

        Assert.All(logits, value => Assert.True(float.IsFinite(value)));
        Assert.InRange(Size(logits), 0.3, 3);
        Assert.Equal(logits, Logits(device, type, seed: 1));
        Assert.NotEqual(logits, Logits(device, type, seed: 2));
    }

    /// <summary>Both forms read the weights through kernels of their own.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void ManyTokensAtOnceComputeTheSame(int device, string name, GgmlType type)
    {
        _ = name;
        using var model = RetNetModel.Random(devices[device], Config, type, new MemoryPlan());
        using var batch = new SequenceBatch(model, 1, new SequenceOptions { PassLength = 8, ChunkLength = 8 });
        List<float> logits = [];
        batch.Feed([new[] { 3, 300, 0 }], (_, _, row) => logits.AddRange(row));

        Tolerance.Near([.. Logits(device, type, seed: 1).Select(value => (double)value)], [.. logits], 1e-5);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void TheTypesOfItsMatrices(int device, string name)
    {
        _ = name;
        var before = devices[device].AllocatedBytes;
        using (var model = RetNetModel.Random(devices[device], Config, GgmlType.Q8_0, new MemoryPlan()))
        {
            Assert.Equal(GgmlType.Q8_0, model.Embedding.Type);
            Assert.Equal(GgmlType.Q8_0, model.Layers[2].QueryKeyValueGate.Type);
            Assert.Equal(GgmlType.F16, model.Layers[2].RetentionOutput.Type);
            Assert.Equal(GgmlType.F16, model.Layers[2].FeedForwardDown.Type);
            Assert.NotEqual(model.Embedding.Weights, model.Output.Weights);
            Assert.Equal(301ul * (128 + 8), model.Output.Bytes);
            Assert.Equal(before + model.WeightBytes, devices[device].AllocatedBytes);
        }

        Assert.Equal(before, devices[device].AllocatedBytes);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void ASessionGoesOnFromARandomState(int device, string name)
    {
        _ = name;
        using var model = RetNetModel.Random(devices[device], Config, GgmlType.F16, new MemoryPlan());
        foreach (var type in Enum.GetValues<StateType>())
        {
            using var session = new RecurrentSession(model, type);
            session.StartAt(70_000, seed: 5);
            var state = session.State.Read(2);
            var logits = session.Logits([17])[0];

            Assert.Equal(70_001, session.Position);
            Assert.All(state, value => Assert.True(float.IsFinite(value) && value != 0));
            Assert.InRange(Size(logits), 0.3, 3);
            session.StartAt(70_000, seed: 5);
            Assert.Equal(logits, session.Logits([17])[0]);
            session.Reset();
            Assert.NotEqual(logits, session.Logits([17])[0]);
        }
    }

    /// <summary>The first of several states holds what a single one does.</summary>
    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void ABatchGoesOnFromRandomStatesAsASessionDoes(int device, string name)
    {
        _ = name;
        const int Tokens = 5;
        using var model = RetNetModel.Random(devices[device], Config, GgmlType.F32, new MemoryPlan());
        using var session = new RecurrentSession(model);
        session.StartAt(5_000, seed: 5);
        var expected = session.Generate(new[] { 17 }, Tokens, SamplerOptions.Greedy).ToArray();

        using var batch = new RecurrentBatch(model, 3);
        var sequences = batch.Add([.. Enumerable.Repeat(new SequenceRequest { Prompt = new[] { 17 }, MaxTokens = Tokens, Sampler = SamplerOptions.Greedy }, 3)]);
        batch.StartAt(5_000, seed: 5);
        List<int> tokens = [];
        while (batch.Next() is { Count: > 0 } next)
            tokens.AddRange(next.Where(token => token.Sequence == sequences[0]).Select(token => token.Token));

        Assert.Equal(expected, tokens);
        Assert.Equal(5_000 + Tokens, batch.State.Positions[0]);
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedBeforeAnythingIsMade()
    {
        var device = devices[(int)TestDevices.All.First()[0]];
        var huge = RandomModel.Shape(layers: 4096, width: 1 << 20, heads: 1, keySize: 2, valueSize: 1 << 20, feedForward: 1 << 20, vocabulary: 1 << 20);

        Assert.Contains("does not fit", Assert.Throws<GpuException>(() => RetNetModel.Random(device, huge, GgmlType.Q4_0, new MemoryPlan())).Message, StringComparison.Ordinal);
    }

    private float[] Logits(int device, GgmlType type, uint seed)
    {
        using var model = RetNetModel.Random(devices[device], Config, type, new MemoryPlan(), seed);
        using var session = new RecurrentSession(model);
        return [.. session.Logits([3, 300, 0]).SelectMany(row => row)];
    }

    /// <summary>Root mean square.</summary>
    private static double Size(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));
}
