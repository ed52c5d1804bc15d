using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>unit: each activation, gated and not.</summary>
internal sealed class UnitCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Rows = 3;

    private protected override void Run(CheckRun run)
    {
        foreach (var activation in Enum.GetValues<Activation>())
            foreach (var gated in new[] { false, true })
            {
                using var kernel = new Kernel<UnitArguments>(run.Device, Variant, 32, (uint)activation, Constant.Of(gated));
                Run(run, kernel, activation, gated, 77);
            }
    }

    private static void Run(CheckRun run, Kernel<UnitArguments> kernel, Activation activation, bool gated, int columns)
    {
        var (stride, hiddenStride) = (2 * columns + 3, columns + 7);
        float[] x = [.. run.Values(Rows * stride).Select(value => 5 * value)];
        var before = run.Values(Rows * hiddenStride);
        run.Arena.Clear();
        var h = run.Arena.AddOutput<float>("h", before);
        var arguments = new UnitArguments
        {
            X = run.Arena.Add<float>("x", x),
            H = h,
            Columns = (uint)columns,
            Stride = (uint)stride,
            HiddenStride = (uint)hiddenStride,
        };
        run.Run($"{activation}{(gated ? ", gated" : "")}", recorder => recorder.Dispatch(kernel, arguments, Rows));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < Rows; row++)
            for (var i = 0; i < columns; i++)
                expected[row * hiddenStride + i] = Reference.Activations.Apply(activation, x[row * stride + i]) * (gated ? x[row * stride + columns + i] : 1);
        run.Compare<float>("h", expected, run.Arena.Read<float>(h, expected.Length));
    }
}
