using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Tests.Gpu;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>The sampling kernel alone: which tokens may come, how often, and that a seed decides.</summary>
[Collection(TestDevices.Collection)]
public sealed class SamplingTests(TestDevices devices)
{
    private static readonly SamplerOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };

    public static TheoryData<int, string> Devices => TestDevices.All;

    [Theory]
    [MemberData(nameof(Devices))]
    public void GreedyTakesTheFirstOfTheLargest(int device, string name)
    {
        _ = name;
        foreach (var vocabulary in new[] { 1, 2, 255, 256, 257, 5000 })
        {
            var logits = RandomLogits(vocabulary, 1);
            var at = vocabulary * 2 / 3;
            logits[at] = logits[vocabulary - 1] = 50;
            Assert.Equal(at, Sample(devices[device], logits, SamplerOptions.Greedy, seeds: 1)[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void TemperatureDrawsFromTheSoftmax(int device, string name)
    {
        _ = name;
        float[] logits = [0.3f, -1, 2, 1.1f, 0, -3, 1.9f];
        AssertDistribution(Softmax(logits, 0.7), Sample(devices[device], logits, Plain with { Temperature = 0.7f }, Draws));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void FiltersKeepWhatTheyShouldAndNothingElse(int device, string name)
    {
        _ = name;
        float[] logits = [1, 4, 2, 3.5f, -2, 0, 3];
        var p = Softmax(logits, 1);
        AssertKept([1, 3, 6], new SamplerOptions { Temperature = 1, TopK = 3, TopP = 1, MinP = 0 });
        AssertKept([1], Plain with { TopK = 1 });
        AssertKept([1, 3], Plain with { TopP = (float)(p[1] + p[3] * 0.5) });
        AssertKept([1, 3, 6], Plain with { TopP = (float)(p[1] + p[3] + 0.01) });
        AssertKept([1, 3, 6, 2], Plain with { MinP = (float)(p[2] / p[1] * 0.99) });
        // Top-p acts on what top-k left: of {4, 3.5}, 0.6 is reached by 4 alone.
        AssertKept([1], new SamplerOptions { Temperature = 1, TopK = 2, TopP = 0.6f, MinP = 0 });

        void AssertKept(int[] kept, SamplerOptions options)
        {
            var expected = p.Select((value, i) => kept.Contains(i) ? value : 0).ToArray();
            var total = expected.Sum();
            AssertDistribution([.. expected.Select(value => value / total)], Sample(devices[device], logits, options, Draws));
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void FiltersMatchAStraightforwardSamplerOnLargeVocabularies(int device, string name)
    {
        _ = name;
        const int Vocabulary = 3001;
        var logits = RandomLogits(Vocabulary, 2);
        var order = Enumerable.Range(0, Vocabulary).OrderByDescending(i => logits[i]).ToArray();
        var p = Softmax(logits, 1);
        var options = new SamplerOptions { Temperature = 5, TopK = 60, TopP = 0.8f, MinP = 0 };
        var kept = order.Take(60).ToArray();
        var mass = kept.Sum(i => p[i]);
        var count = 1 + Enumerable.Range(1, 60).First(n => kept.Take(n).Sum(i => p[i]) / mass >= 0.8) - 1;

        var drawn = Sample(devices[device], logits, options, Draws);

        Assert.Equal(kept.Take(count).Order(), drawn.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RepetitionPenaltyActsOnceOnEveryRecentToken(int device, string name)
    {
        _ = name;
        float[] logits = [3, 2.9f, -1, 0];
        var options = SamplerOptions.Greedy with { RepeatPenalty = 1.1f };
        // 0 is penalised once although it stands twice: 3 / 1.1 = 2.73 < 2.9.
        Assert.Equal(1, Sample(devices[device], logits, options, 1, [0, 0])[0]);
        Assert.Equal(0, Sample(devices[device], logits, options, 1, [0, 1])[0]);
        Assert.Equal(0, Sample(devices[device], logits, options with { RepeatWindow = 1 }, 1, [0, 1])[0]);
        Assert.Equal(1, Sample(devices[device], [-1, -1.05f], options, 1, [0])[0]);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void TheSameSeedDrawsTheSameTokens(int device, string name)
    {
        _ = name;
        var logits = RandomLogits(400, 3);
        var first = Sample(devices[device], logits, Plain, 50);
        Assert.Equal(first, Sample(devices[device], logits, Plain, 50));
        Assert.True(first.Distinct().Count() > 10);
    }

    private const int Draws = 1000;

    private static float[] RandomLogits(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 8 - 4)];
    }

    private static double[] Softmax(float[] logits, double temperature)
    {
        var values = logits.Select(l => Math.Exp(l / temperature)).ToArray();
        var total = values.Sum();
        return [.. values.Select(value => value / total)];
    }

    /// <summary>Every frequency within 5 standard deviations; nothing drawn that has no probability.</summary>
    private static void AssertDistribution(double[] expected, int[] drawn)
    {
        for (var token = 0; token < expected.Length; token++)
        {
            var frequency = drawn.Count(t => t == token) / (double)drawn.Length;
            var deviation = Math.Sqrt(expected[token] * (1 - expected[token]) / drawn.Length);
            Assert.True(Math.Abs(frequency - expected[token]) <= 5 * deviation, $"token {token}: {frequency:f4}, expected {expected[token]:f4} ± {deviation:f4}");
        }
    }

    /// <summary>Draws once for each seed 0, 1, …, with <paramref name="history"/> before it: a sequence a seed.</summary>
    private static int[] Sample(GpuDevice device, float[] logits, SamplerOptions options, int seeds, int[]? history = null)
    {
        const int LogLength = 64;
        history ??= [0];
        var tuning = Tuning.For(device.Capabilities);
        using var buffers = new Buffers(device);
        using var kernel = KernelFactory.Sample(device, tuning);
        var sequences = Enumerable.Range(0, seeds).ToArray();
        var tokens = buffers.Add([.. sequences.SelectMany(_ => history.Concat(new int[LogLength - history.Length]))]);
        var arguments = new SampleArguments
        {
            Logits = buffers.Add([.. sequences.SelectMany(_ => logits)]).Address,
            Tokens = tokens.Address,
            Positions = buffers.Add([.. sequences.Select(_ => history.Length)]).Address,
            StepsLeft = buffers.Add([.. sequences.Select(_ => 1)]).Address,
            Samplers = buffers.Add([.. sequences.Select(seed => SamplerEntry.Of(options with { Seed = (ulong)seed }))]).Address,
            Vocabulary = (uint)logits.Length,
            LogMask = LogLength - 1,
        };
        device.Run("sample", recorder => recorder.Dispatch(kernel, arguments, (uint)seeds));
        var log = new int[seeds * LogLength];
        device.Read(tokens, 0, log.AsSpan());
        return [.. sequences.Select(seed => log[seed * LogLength + history.Length])];
    }
}
