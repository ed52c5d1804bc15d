using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>norm: RMSNorm and LayerNorm of rows, beside their input and in place.</summary>
internal sealed class NormCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const float Eps = 1e-3f;

    private protected override void Run(CheckRun run)
    {
        foreach (var subtractMean in new[] { false, true })
            foreach (var threads in new[] { 32u, 256u })
            {
                using var kernel = new Kernel<NormArguments>(run.Device, Variant, threads, Constant.Of(subtractMean));
                foreach (var (rows, columns) in new[] { (1, 1), (5, 33), (3, 600) })
                {
                    Run(run, kernel, subtractMean, rows, columns, inPlace: false);
                    Run(run, kernel, subtractMean, rows, columns, inPlace: true);
                }
            }
    }

    private static void Run(CheckRun run, Kernel<NormArguments> kernel, bool subtractMean, int rows, int columns, bool inPlace)
    {
        var stride = columns + 7;
        var before = run.Values(rows * stride);
        // A mean beside zero, so that it matters whether it is subtracted.
        var values = inPlace ? before : [.. run.Values(rows * stride).Select(value => value + 0.5f)];
        var (weight, bias) = (run.Values(columns), run.Values(columns));
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var arguments = new NormArguments
        {
            X = inPlace ? y : run.Arena.Add<float>("x", values),
            Y = y,
            Weight = run.Arena.Add<float>("weight", weight),
            Bias = run.Arena.Add<float>("bias", bias),
            Columns = (uint)columns,
            Stride = (uint)stride,
            Eps = Eps,
        };
        run.Run($"{(subtractMean ? "LayerNorm" : "RMSNorm")} {rows} × {columns}", recorder => recorder.Dispatch(kernel, arguments, (uint)rows));

        var norm = new Norm(weight, bias, subtractMean);
        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < rows; row++)
        {
            var x = values.Skip(row * stride).Take(columns).Select(value => (double)value).ToArray();
            norm.Apply(x, Eps);
            x.CopyTo(expected, row * stride);
        }

        run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));
    }
}
