using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>norm: RMSNorm and LayerNorm of rows, beside their input and in place.</summary>
internal sealed class NormCheck(string variant) : KernelCheck(variant, 3e-6)
{
    /// <summary>What f16 outputs are off more than f32 ones.</summary>
    private const double HalfSlack = 200;

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
                    if (!Half)
                        Run(run, kernel, subtractMean, rows, columns, inPlace: true);
                }
            }
    }

    private bool Half => Variant.EndsWith("_f16", StringComparison.Ordinal);

    private void Run(CheckRun run, Kernel<NormArguments> kernel, bool subtractMean, int rows, int columns, bool inPlace)
    {
        var stride = columns + 7;
        var before = run.Values(rows * stride);
        // A mean beside zero, so that it matters whether it is subtracted.
        var values = inPlace ? before : [.. run.Values(rows * stride).Select(value => value + 0.5f)];
        var (weight, bias) = (run.Values(columns), run.Values(columns));
        run.Arena.Clear();
        var y = Half ? run.Arena.AddOutput<Half>("y", [.. before.Select(value => (Half)value)]) : run.Arena.AddOutput<float>("y", before);
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

        if (Half)
            run.Compare<Half>("y", expected, run.Arena.Read<Half>(y, before.Length), HalfSlack);
        else
            run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));
    }
}
