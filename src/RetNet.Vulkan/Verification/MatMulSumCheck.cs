using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>matmul_sum: parts of each element added, every way out.</summary>
internal sealed class MatMulSumCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const double HalfSlack = 200;
    private const float ResidualScale = 0.7f;
    private const int Rows = 37;
    private const int Tokens = 3;
    private const int Parts = 5;
    private const int Stride = 76;

    private static readonly (ProductOutput Output, Activation Activation, bool Biased)[] Forms =
    [
        (ProductOutput.Store, Activation.Silu, true), (ProductOutput.Store, Activation.Silu, false), (ProductOutput.AddResidual, Activation.Silu, true),
        (ProductOutput.GatedUnit, Activation.Silu, true), (ProductOutput.GatedUnit, Activation.Gelu, false), (ProductOutput.Activate, Activation.Relu, true),
    ];

    private bool Half => Variant.EndsWith("_f16", StringComparison.Ordinal);

    private protected override void Run(CheckRun run)
    {
        foreach (var form in Forms.Where(form => !Half || form.Output != ProductOutput.AddResidual))
            Run(run, form.Output, form.Activation, form.Biased);
    }

    private void Run(CheckRun run, ProductOutput output, Activation activation, bool biased)
    {
        using var kernel = new Kernel<MatMulSumArguments>(run.Device, Variant, 32, (uint)output, (uint)activation, Constant.Of(biased), Constant.Of(Half));
        var partials = run.Values(Parts * Tokens * Stride);
        var bias = biased ? run.Values(2 * Rows) : new float[2 * Rows];
        var before = run.Values(Tokens * Stride).Select(value => Half ? (float)(Half)value : value).ToArray();
        run.Arena.Clear();
        var y = Half ? run.Arena.AddOutput<Half>("y", [.. before.Select(value => (Half)value)]) : run.Arena.AddOutput<float>("y", before);
        var arguments = new MatMulSumArguments
        {
            Partials = run.Arena.Add<float>("partials", partials),
            Y = y,
            Bias = run.Arena.Add<float>("bias", bias),
            Rows = Rows,
            Tokens = Tokens,
            Parts = Parts,
            YStride = Stride,
            PartialStride = Stride,
            ResidualScale = ResidualScale,
        };
        run.Run($"{output}", recorder => recorder.Dispatch(kernel, arguments, 2, Tokens));

        var expected = before.Select(value => (double)value).ToArray();
        for (var token = 0; token < Tokens; token++)
            for (var row = 0; row < Rows; row++)
            {
                ref var value = ref expected[token * Stride + row];
                value = MatMulCheck.Finish(output, activation, ResidualScale, value, Sum(token, row), output == ProductOutput.GatedUnit ? Sum(token, Rows + row) : 0);
            }

        if (Half)
            run.Compare<Half>("y", expected, run.Arena.Read<Half>(y, before.Length), HalfSlack);
        else
            run.Compare<float>("y", expected, run.Arena.Read<float>(y, before.Length));

        double Sum(int token, int row) => bias[row] + Enumerable.Range(0, Parts).Sum(part => (double)partials[(part * Tokens + token) * Stride + row]);
    }
}
