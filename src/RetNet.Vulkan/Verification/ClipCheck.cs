using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>clip: norms below and above the largest, none given, a loss' scale, and sums that are not finite.</summary>
internal sealed class ClipCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private protected override void Run(CheckRun run)
    {
        foreach (var threads in new[] { 8u, 256u })
        {
            using var kernel = new Kernel<ClipArguments>(run.Device, Variant, threads);
            foreach (var (count, lossScale, clip, bad) in new[]
            {
                (1, 1f, 0f, 0f), (300, 1f, 0.5f, 0f), (300, 64f, 1e6f, 0f), (7, 1024f, 1e-3f, 0f), (300, 1f, 1f, float.NaN), (300, 1f, 0f, float.PositiveInfinity),
            })
                Run(run, kernel, count, lossScale, clip, bad);
        }
    }

    private static void Run(CheckRun run, Kernel<ClipArguments> kernel, int count, float lossScale, float clip, float bad)
    {
        var partials = run.Values(count).Select(Math.Abs).ToArray();
        if (bad != 0)
            partials[count / 2] = bad;
        run.Arena.Clear();
        var result = run.Arena.AddOutput<float>("result", new float[2]);
        var arguments = new ClipArguments
        {
            Partials = run.Arena.Add<float>("partials", partials),
            Settings = run.Arena.Add<float>("settings", [lossScale, clip]),
            Result = result,
            Count = (uint)count,
        };
        run.Run($"{count}, scale {lossScale}, clip {clip}, {bad}", recorder => recorder.Dispatch(kernel, arguments, 1));

        var actual = run.Arena.Read<float>(result, 2);
        if (bad != 0)
        {
            if (actual[0] != 0 || float.IsFinite(actual[1]))
                run.Report(double.PositiveInfinity, $"the factor is {actual[0]} and the norm {actual[1]} of gradients that are not finite");
            return;
        }

        var norm = Math.Sqrt(partials.Sum(value => (double)value)) / lossScale;
        run.Compare<float>("factor", [(clip > 0 ? Math.Min(1, clip / (norm + 1e-6)) : 1) / lossScale], actual.AsSpan(0, 1));
        run.Compare<float>("norm", [norm], actual.AsSpan(1, 1));
    }
}
