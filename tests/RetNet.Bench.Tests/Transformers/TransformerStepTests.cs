using RetNet.Bench.Transformers;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Tests.Transformers;

/// <summary>The whole Transformer on every device against double precision, several steps in a row that the host does not come between.</summary>
[Collection(TestDevices.Collection)]
public sealed class TransformerStepTests(TestDevices devices)
{
    private const int Steps = 4;
    private const int Capacity = 197;

    /// <summary>Heads of 32, 64 and 128; a head by one workgroup and by several; sequences of different lengths.</summary>
    public static TheoryData<int, string, string, int[]> Cases
    {
        get
        {
            var data = new TheoryData<int, string, string, int[]>();
            foreach (var device in TestDevices.All)
            {
                data.Add((int)device[0], (string)device[1], "96,2,2,16,40,72,301", [Capacity - Steps]);
                data.Add((int)device[0], (string)device[1], "192,1,3,32,64,96,203", [0, 130, 67]);
                data.Add((int)device[0], (string)device[1], "128,2,2,64,128,96,77", [5]);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsTheReference(int device, string name, string shape, int[] depths)
    {
        _ = name;
        ArgumentNullException.ThrowIfNull(depths);
        var weights = new RandomModel(TransformerShape.Of(ModelShape.Parse(shape)).Config, seed: 5, optional: tensor => tensor.StartsWith(TensorNames.Output, StringComparison.Ordinal));
        using var folder = new TemporaryFolder();
        using var model = Load(devices[device], weights, Path.Combine(folder.Path, "transformer.gguf"));
        using var step = new TransformerStep(model, depths.Length, Capacity);
        step.Cache.FillRandom(devices[device], seed: 3);
        var references = depths.Select((depth, sequence) => Reference(devices[device], weights, step.Cache, sequence, depth)).ToArray();
        var first = weights.Tokens(depths.Length, seed: 8);
        for (var sequence = 0; sequence < depths.Length; sequence++)
        {
            step.Log[sequence, depths[sequence]] = first[sequence];
            step.Table.Set(sequence, depths[sequence], SequenceTable.Unlimited, SamplerEntry.Of(SamplerOptions.Greedy));
        }

        step.Table.Upload(Enumerable.Range(0, depths.Length));
        using var read = devices[device].Allocate("logits", (ulong)(depths.Length * weights.Config.VocabularySize) * sizeof(float), MemoryPlacement.Readback);
        using var recording = devices[device].Record("step", recorder =>
        {
            step.Record(recorder);
            step.CopyLogits(recorder, read);
        });
        devices[device].Wait(devices[device].Submit(recording, Steps));

        for (var sequence = 0; sequence < depths.Length; sequence++)
        {
            var logits = Follow(references[sequence], step.Log, sequence);
            var vocabulary = weights.Config.VocabularySize;
            // A key or value that lies between two of f16 may be rounded to either.
            Tolerance.Near(logits, read.AsSpan<float>().Slice(sequence * vocabulary, vocabulary).ToArray(), 3e-4);
        }
    }

    [Fact]
    public void ItNeedsNoMoreMemoryThanItsPlan()
    {
        var device = devices[(int)TestDevices.All.First()[0]];
        using var model = RetNetModel.Random(device, TransformerShape.Of(ModelShape.Parse("96,2,2,16,40,72,301")).Config, GgmlType.F16, new MemoryPlan());
        var before = device.AllocatedBytes;
        var plan = TransformerStep.Plan(device, model.Config, 3, 1000);
        using (new TransformerStep(model, 3, 1000))
            Assert.InRange(device.AllocatedBytes - before, KeyValueCache.BytesOf(model.Config, 3, 1000), plan.Bytes);
        Assert.Equal(before, device.AllocatedBytes);
        Assert.Equal(2ul * 2 * 96 * 2 * 3 * 1000, KeyValueCache.BytesOf(model.Config, 3, 1000));
    }

    [Fact]
    public void ACacheThatDoesNotFitIsRefused()
    {
        var device = devices[(int)TestDevices.All.First()[0]];
        using var model = RetNetModel.Random(device, TransformerShape.Of(ModelShape.Parse("96,2,2,16,40,72,301")).Config, GgmlType.F16, new MemoryPlan());
        var before = device.AllocatedBytes;

        Assert.Contains("does not fit", Assert.Throws<GpuException>(() => new TransformerDecoder(model, 64, 1 << 30)).Message, StringComparison.Ordinal);
        Assert.Contains("in one piece", Assert.Throws<GpuException>(() => new KeyValueCache(device, model.Config, 1, 1 << 30)).Message, StringComparison.Ordinal);
        Assert.Contains("at most 64", Assert.Throws<GpuException>(() => new TransformerDecoder(model, 65, 10)).Message, StringComparison.Ordinal);
        Assert.Equal(before, device.AllocatedBytes);
    }

    private static RetNetModel Load(GpuDevice device, RandomModel weights, string path)
    {
        weights.Write(path, GgmlType.F32);
        using var file = GgufFile.Open(path);
        return RetNetModel.Load(device, file, new MemoryPlan());
    }

    /// <summary>A reference that has taken in what is in the cache.</summary>
    private static ReferenceTransformer Reference(GpuDevice device, RandomModel weights, KeyValueCache cache, int sequence, int depth)
    {
        var reference = new ReferenceTransformer(weights.Config, weights.Tensor);
        var (heads, size) = (weights.Config.Heads, weights.Config.KeySize);
        for (var layer = 0; layer < weights.Config.Layers; layer++)
        {
            var (keys, values) = (cache.ReadKeys(device, layer), cache.ReadValues(device, layer));
            for (var position = 0; position < depth; position++)
                reference.Append(layer, Row(keys, position), Row(values, position));
        }

        return reference;

        double[] Row(Half[] stored, int position) =>
            [.. Enumerable.Range(0, heads).SelectMany(head => stored.Skip((((sequence * heads) + head) * Capacity + position) * size).Take(size)).Select(value => (double)value)];
    }

    /// <summary>Takes in the tokens that the device did, each of which must have the largest logit, and returns the last logits.</summary>
    private static double[] Follow(ReferenceTransformer reference, TokenLog log, int sequence)
    {
        double[] logits = [];
        for (var step = 0; step < Steps; step++)
        {
            var position = reference.Position;
            logits = reference.Next(log[sequence, position]);
            Assert.InRange(logits[log[sequence, position + 1]], logits.Max() - 1e-3 * logits.Max(Math.Abs), logits.Max());
        }

        return logits;
    }
}
