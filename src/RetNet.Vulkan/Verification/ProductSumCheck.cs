using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>product_sum: the parts of each element added, to what was there before or in its place.</summary>
internal sealed class ProductSumCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const float Keep = 0.7f;
    private const int M = 3;
    private const int N = 37;
    private const int Parts = 5;
    private const int Stride = 76;

    private protected override void Run(CheckRun run)
    {
        foreach (var keeps in new[] { false, true })
            foreach (var biased in new[] { false, true })
                Run(run, keeps, biased);
    }

    private void Run(CheckRun run, bool keeps, bool biased)
    {
        using var kernel = new Kernel<ProductSumArguments>(run.Device, Variant, 32, Constant.Of(keeps), Constant.Of(biased));
        var partials = run.Values(Parts * M * Stride);
        var bias = run.Values(N);
        var before = run.Values(M * Stride);
        run.Arena.Clear();
        var c = run.Arena.AddOutput<float>("c", before);
        var arguments = new ProductSumArguments
        {
            Partials = run.Arena.Add<float>("partials", partials),
            C = c,
            Bias = run.Arena.Add<float>("bias", bias),
            M = M,
            N = N,
            Parts = Parts,
            CStride = Stride,
            PartialStride = Stride,
            Keep = Keep,
        };
        run.Run($"keeps {keeps}, biased {biased}", recorder => recorder.Dispatch(kernel, arguments, 2, M));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < M; row++)
            for (var column = 0; column < N; column++)
            {
                ref var value = ref expected[row * Stride + column];
                value = (keeps ? Keep * value : 0) + (biased ? bias[column] : 0) + Enumerable.Range(0, Parts).Sum(part => (double)partials[(part * M + row) * Stride + column]);
            }

        run.Compare<float>("c", expected, run.Arena.Read<float>(c, before.Length));
    }
}
