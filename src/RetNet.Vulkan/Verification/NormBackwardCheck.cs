using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>norm_backward: gradients of RMSNorm and LayerNorm, alone and added to what passes the sub-layer by.</summary>
internal sealed class NormBackwardCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const float Eps = 1e-3f;
    private const float Keep = 1.5f;

    private protected override void Run(CheckRun run)
    {
        foreach (var (threads, subtractMean, accumulate) in new[] { (32u, false, true), (256u, true, false), (64u, true, true), (256u, false, false) })
        {
            using var kernel = new Kernel<NormBackwardArguments>(run.Device, Variant, threads, Constant.Of(subtractMean), Constant.Of(accumulate));
            foreach (var (rows, columns) in new[] { (1, 2), (5, 33), (3, 600) })
                Run(run, kernel, subtractMean, accumulate, rows, columns);
        }
    }

    private static void Run(CheckRun run, Kernel<NormBackwardArguments> kernel, bool subtractMean, bool accumulate, int rows, int columns)
    {
        var stride = columns + 7;
        var before = run.Values(rows * stride);
        // A mean beside zero, so that it matters whether it is subtracted.
        float[] x = [.. run.Values(rows * stride).Select(value => value + 0.5f)];
        var (dy, weight) = (run.Values(rows * stride), run.Values(columns));
        run.Arena.Clear();
        var dx = run.Arena.AddOutput<float>("dx", before);
        var moments = run.Arena.AddOutput<float>("moments", run.Values(2 * rows));
        var arguments = new NormBackwardArguments
        {
            X = run.Arena.Add<float>("x", x),
            Dy = run.Arena.Add<float>("dy", dy),
            Weight = run.Arena.Add<float>("weight", weight),
            Dx = dx,
            Moments = moments,
            Columns = (uint)columns,
            Stride = (uint)stride,
            Eps = Eps,
            Keep = Keep,
        };
        run.Run($"{(subtractMean ? "LayerNorm" : "RMSNorm")} {rows} × {columns}", recorder => recorder.Dispatch(kernel, arguments, (uint)rows));

        var expected = before.Select(value => (double)value).ToArray();
        var expectedMoments = new double[2 * rows];
        for (var row = 0; row < rows; row++)
        {
            var gradient = new NormGradient(x.AsSpan(row * stride, columns), dy.AsSpan(row * stride, columns), weight, subtractMean, Eps);
            for (var i = 0; i < columns; i++)
                expected[row * stride + i] = gradient.Input[i] + (accumulate ? Keep * expected[row * stride + i] : 0);
            (expectedMoments[2 * row], expectedMoments[2 * row + 1]) = (gradient.Mean, gradient.Scale);
        }

        run.Compare<float>("moments", expectedMoments, run.Arena.Read<float>(moments, 2 * rows));
        run.Compare<float>("dx", expected, run.Arena.Read<float>(dx, before.Length));
    }
}
