using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// sample: the token drawn has the largest score of the sampler in double, whose random bits are the same. The error is by how
/// much another token's score is larger, so that rounding may decide between equals and nothing else may.
/// </summary>
internal sealed class SamplingCheck(string variant) : KernelCheck(variant, 1e-5)
{
    private const int LogLength = 64;
    private const int Seeds = 25;

    /// <summary>Both words of a seed differ from one to the next.</summary>
    private const ulong SeedStep = 0x1_0000_0001;

    private static readonly SamplerOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };

    private static readonly SamplerOptions[] Options =
    [
        SamplerOptions.Greedy,
        SamplerOptions.Greedy with { RepeatPenalty = 1.5f, RepeatWindow = 3 },
        Plain with { Temperature = 0.7f },
        Plain with { TopK = 5, Temperature = 3 },
        Plain with { TopP = 0.7f, Temperature = 3 },
        Plain with { MinP = 0.2f, Temperature = 3 },
        new() { Temperature = 1.5f, TopK = 20, TopP = 0.8f, MinP = 0.01f, RepeatPenalty = 1.2f },
    ];

    /// <summary>Draws once for each seed 0, 1, …, with the same history before it.</summary>
    /// <returns>The tokens drawn.</returns>
    public static int[] Draw(CheckRun run, Kernel<SampleArguments> kernel, ReadOnlySpan<float> logits, SamplerOptions options, int seeds, ReadOnlySpan<int> history)
    {
        var log = new int[LogLength];
        history.CopyTo(log);
        run.Arena.Clear();
        var results = run.Arena.AddOutput<int>("tokens", Enumerable.Repeat(log, seeds).SelectMany(tokens => tokens).ToArray());
        // The penalty is applied in place, so every draw has logits of its own.
        var scratch = run.Arena.AddOutput<float>("logits", Enumerable.Repeat(logits.ToArray(), seeds).SelectMany(row => row).ToArray());
        var position = run.Arena.Add<uint>("position", [(uint)history.Length]);
        var vocabulary = logits.Length;
        run.Run($"{options}, vocabulary {vocabulary}", recorder =>
        {
            for (var seed = 0; seed < seeds; seed++)
                recorder.Dispatch(kernel, SampleArguments.Of(options with { Seed = (ulong)seed * SeedStep }) with
                {
                    Logits = scratch + (ulong)seed * (ulong)vocabulary * sizeof(float),
                    Tokens = results + (ulong)seed * LogLength * sizeof(int),
                    Position = position,
                    Vocabulary = (uint)vocabulary,
                    LogMask = LogLength - 1,
                }, 1);
        });
        var drawn = run.Arena.Read<int>(results, seeds * LogLength);
        var at = history.Length;
        return [.. Enumerable.Range(0, seeds).Select(seed => drawn[seed * LogLength + at])];
    }

    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<SampleArguments>(run.Device, Variant);
        foreach (var vocabulary in new[] { 1, 7, 257, 3001 })
        {
            var logits = run.Values(vocabulary).Select(value => value * 4).ToArray();
            int[] history = [0, vocabulary - 1, vocabulary / 2, 0, vocabulary / 3];
            foreach (var options in Options)
                Compare(run, logits, options, history, Draw(run, kernel, logits, options, Seeds, history));
        }
    }

    private static void Compare(CheckRun run, float[] logits, SamplerOptions options, int[] history, int[] drawn)
    {
        for (var seed = 0; seed < drawn.Length; seed++)
        {
            var scores = run.Reference(ReferenceSampler.Scores(logits, options with { Seed = (ulong)seed * SeedStep }, history));
            var token = drawn[seed];
            var score = (uint)token < (uint)scores.Length ? scores[token] : double.NegativeInfinity;
            run.Report((scores.Max() - score) / scores.Where(double.IsFinite).Max(Math.Abs), $"token {token} was drawn, not {Array.IndexOf(scores, scores.Max())}");
        }
    }
}
