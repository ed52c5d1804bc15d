using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// sample: the token drawn has the largest score of the sampler in double, whose random bits are the same. The error is by how
/// much another token's score is larger, so that rounding may decide between equals and nothing else may. Sequences without
/// steps left draw nothing, and a token that ends one leaves it none. Logits that are no numbers give no token, which ends a sequence.
/// </summary>
internal sealed class SamplingCheck(string variant) : KernelCheck(variant, 1e-5)
{
    private const int LogLength = 64;
    private const int Sequences = 25;

    /// <summary>NONE of the shader.</summary>
    private const int NoToken = -1;

    /// <summary>Both words of a seed differ from one to the next.</summary>
    private const ulong SeedStep = 0x1_0000_0001;

    private static readonly SamplerOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };

    private static readonly SamplerOptions[] Options =
    [
        SamplerOptions.Greedy,
        SamplerOptions.Greedy with { RepeatPenalty = 1.5f, RepeatWindow = 3 },
        Plain with { Temperature = 0.7f },
        Plain with { TopK = 5, Temperature = 3 },
        Plain with { TopK = 600, Temperature = 3 },
        Plain with { TopP = 0.7f, Temperature = 3 },
        Plain with { MinP = 0.2f, Temperature = 3 },
        new() { Temperature = 1.5f, TopK = 20, TopP = 0.8f, MinP = 0.01f, RepeatPenalty = 1.2f },
    ];

    private protected override void Run(CheckRun run)
    {
        var tuning = Tuning.For(run.Device.Capabilities);
        foreach (var (threads, loads) in new[] { (tuning.SampleThreads, tuning.SampleLoads), (256u, 3u) })
        {
            using var kernel = new Kernel<SampleArguments>(run.Device, Variant, threads, loads);
            foreach (var vocabulary in new[] { 1, 7, 257, 3001 })
            {
                float[][] logits = [.. Enumerable.Range(0, Sequences).Select(_ => run.Values(vocabulary).Select(value => value * 4).ToArray())];
                foreach (var options in Options)
                    new Case(run, logits, options).Run(kernel);
                new Case(run, [.. logits.Select(row => row.Select(logit => MathF.Round(logit)).ToArray())], Options[^1]).Run(kernel);
            }

            foreach (var options in new[] { SamplerOptions.Greedy, Options[^1] })
                RunBeyondNumbers(run, kernel, options);
        }
    }

    /// <summary>NaNs are positive or negative; a processor's are negative, which order below everything.</summary>
    private static void RunBeyondNumbers(CheckRun run, Kernel<SampleArguments> kernel, SamplerOptions options)
    {
        const int vocabulary = 97;
        var positive = run.Values(vocabulary);
        positive[31] = BitConverter.UInt32BitsToSingle(0x7FC00000);
        var negative = Enumerable.Repeat(BitConverter.UInt32BitsToSingle(0xFFC00000), vocabulary).ToArray();
        var infinite = run.Values(vocabulary);
        infinite[40] = infinite[60] = float.PositiveInfinity;
        var impossible = Enumerable.Repeat(float.NegativeInfinity, vocabulary).ToArray();
        impossible[12] = -3;
        new Case(run, [positive, negative, infinite, impossible], options).Run(kernel, [NoToken, NoToken, 40, 12]);
    }

    /// <summary>Sequences with the same options and different seeds, logits, lengths and steps left.</summary>
    private sealed class Case(CheckRun run, float[][] logits, SamplerOptions options)
    {
        private readonly int _vocabulary = logits[0].Length;

        /// <summary>Compares what is drawn with the tokens given, or by their scores.</summary>
        public void Run(Kernel<SampleArguments> kernel, int[]? expected = null)
        {
            var sequences = Enumerable.Range(0, logits.Length);
            run.Arena.Clear();
            int[] log = [.. sequences.SelectMany(sequence => History(sequence).Concat(Enumerable.Repeat(0, LogLength - History(sequence).Length)))];
            var tokens = run.Arena.AddOutput<int>("tokens", log);
            var scratch = run.Arena.AddOutput<float>("logits", [.. logits.SelectMany(row => row)]);
            var stepsLeft = run.Arena.AddOutput<uint>("steps left", [.. sequences.Select(StepsLeft)]);
            var arguments = new SampleArguments
            {
                Logits = scratch,
                Tokens = tokens,
                Positions = run.Arena.Add<uint>("positions", [.. sequences.Select(sequence => (uint)History(sequence).Length)]),
                StepsLeft = stepsLeft,
                Samplers = run.Arena.Add<SamplerEntry>("samplers", [.. sequences.Select(sequence => SamplerEntry.Of(Seeded(sequence), Ends))]),
                Vocabulary = (uint)_vocabulary,
                LogMask = LogLength - 1,
            };
            run.Run($"{options}, vocabulary {_vocabulary}", recorder => recorder.Dispatch(kernel, arguments, (uint)logits.Length));
            Compare(expected, log, run.Arena.Read<int>(tokens, log.Length), run.Arena.Read<uint>(stepsLeft, logits.Length));
        }

        private int[] Ends => [.. Enumerable.Range(0, SamplerEntry.MostEnds).Select(i => i * _vocabulary / SamplerEntry.MostEnds)];

        private static uint StepsLeft(int sequence) => sequence % 5 == 4 ? 0 : (uint)sequence + 1;

        private int[] History(int sequence) => [.. new[] { 0, _vocabulary - 1, _vocabulary / 2, 0, _vocabulary / 3 }.Skip(sequence % 3)];

        private SamplerOptions Seeded(int sequence) => options with { Seed = (ulong)sequence * SeedStep };

        private void Compare(int[]? expected, int[] before, int[] log, uint[] stepsLeft)
        {
            for (var sequence = 0; sequence < logits.Length; sequence++)
            {
                var history = History(sequence);
                var (from, at) = (sequence * LogLength, sequence * LogLength + history.Length);
                var left = StepsLeft(sequence);
                if (left > 0 && expected is not null)
                    run.Compare<int>("token", [expected[sequence]], [log[at]]);
                else if (left > 0)
                    CompareToken(sequence, log[at]);
                if (left > 0)
                    before[at] = log[at];
                run.Report(before.AsSpan(from, LogLength).SequenceEqual(log.AsSpan(from, LogLength)) ? 0 : double.PositiveInfinity, $"another entry of the log of sequence {sequence} has changed");
                run.Compare<uint>("steps left", [left == 0 || log[at] == NoToken || Ends.Contains(log[at]) ? 0 : left - 1.0], [stepsLeft[sequence]]);
            }
        }

        private void CompareToken(int sequence, int token)
        {
            var scores = run.Reference(ReferenceSampler.Scores(logits[sequence], Seeded(sequence), History(sequence)));
            var score = (uint)token < (uint)scores.Length ? scores[token] : double.NegativeInfinity;
            run.Report((scores.Max() - score) / scores.Where(double.IsFinite).Max(Math.Abs), $"token {token} was drawn, not {Array.IndexOf(scores, scores.Max())}");
        }
    }
}
