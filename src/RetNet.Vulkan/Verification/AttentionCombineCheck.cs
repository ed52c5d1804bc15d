using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>attention_combine: up to as many shares as it takes, some of them without a position.</summary>
internal sealed class AttentionCombineCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Heads = 3;
    private const int Sequences = 3;
    private const int Gap = 5;

    /// <summary>m of a share without a position, as attention leaves it.</summary>
    private const float None = -1e30f;

    private protected override void Run(CheckRun run)
    {
        foreach (var (threads, headSize) in new[] { (32u, 64), (128u, 32) })
        {
            using var kernel = new Kernel<AttentionCombineArguments>(run.Device, Variant, threads, (uint)headSize);
            foreach (var splits in new[] { 2, 9, 64 })
                Run(run, kernel, headSize, splits);
        }
    }

    private static void Run(CheckRun run, Kernel<AttentionCombineArguments> kernel, int headSize, int splits)
    {
        var stride = Heads * headSize + Gap;
        var partials = run.Values(Sequences * Heads * splits * headSize);
        var sums = run.Values(Sequences * Heads * splits * 2).Select((value, i) => i % 2 == 0 ? 9 * value : value + 1.5f).ToArray();
        for (var share = splits - 1; share < Sequences * Heads * splits; share += splits)
        {
            (sums[2 * share], sums[2 * share + 1]) = (None, 0);
            partials.AsSpan(share * headSize, headSize).Clear();
        }

        uint[] stepsLeft = [1, 0, 7];
        var before = run.Values(Sequences * stride);
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var arguments = new AttentionCombineArguments
        {
            Partials = run.Arena.Add<float>("partials", partials),
            Sums = run.Arena.Add<float>("sums", sums),
            StepsLeft = run.Arena.Add<uint>("steps left", stepsLeft),
            Y = y,
            OutputStride = (uint)stride,
            Splits = (uint)splits,
        };
        run.Run($"head size {headSize}, {splits} shares", recorder => recorder.Dispatch(kernel, arguments, Heads, Sequences));

        var expected = before.Select(value => (double)value).ToArray();
        for (var head = 0; head < Sequences * Heads; head++)
            if (stepsLeft[head / Heads] > 0)
                Combine(partials.AsSpan(head * splits * headSize, splits * headSize), sums.AsSpan(head * splits * 2, splits * 2), expected.AsSpan(head / Heads * stride + head % Heads * headSize, headSize));
        run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));
    }

    private static void Combine(ReadOnlySpan<float> partials, ReadOnlySpan<float> sums, Span<double> y)
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (var i = 0; i < sums.Length; i += 2)
            largest = Math.Max(largest, sums[i]);
        y.Clear();
        for (var i = 0; i < sums.Length / 2; i++)
        {
            var factor = Math.Exp(sums[2 * i] - largest);
            sum += factor * sums[2 * i + 1];
            for (var column = 0; column < y.Length; column++)
                y[column] += factor * partials[i * y.Length + column];
        }

        for (var column = 0; column < y.Length; column++)
            y[column] /= sum;
    }
}
