using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>unit_backward: each activation, gated and not.</summary>
internal sealed class UnitBackwardCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Rows = 3;

    private protected override void Run(CheckRun run)
    {
        foreach (var activation in Enum.GetValues<Activation>())
            foreach (var gated in new[] { false, true })
            {
                using var kernel = new Kernel<UnitBackwardArguments>(run.Device, Variant, 32, (uint)activation, Constant.Of(gated));
                Run(run, kernel, activation, gated, 77);
            }
    }

    private static void Run(CheckRun run, Kernel<UnitBackwardArguments> kernel, Activation activation, bool gated, int columns)
    {
        var (stride, hiddenStride) = (2 * columns + 3, columns + 7);
        float[] before = [.. run.Values(Rows * stride).Select(value => 5 * value)];
        var dh = run.Values(Rows * hiddenStride);
        run.Arena.Clear();
        var x = run.Arena.AddOutput<float>("x", before);
        var arguments = new UnitBackwardArguments
        {
            X = x,
            Dh = run.Arena.Add<float>("dh", dh),
            Columns = (uint)columns,
            Stride = (uint)stride,
            HiddenStride = (uint)hiddenStride,
        };
        run.Run($"{activation}{(gated ? ", gated" : "")}", recorder => recorder.Dispatch(kernel, arguments, Rows));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < Rows; row++)
            for (var i = 0; i < columns; i++)
            {
                var (a, d) = (row * stride + i, (double)dh[row * hiddenStride + i]);
                expected[a] = d * ActivationGradient.Of(activation, before[a]) * (gated ? before[a + columns] : 1);
                if (gated)
                    expected[a + columns] = d * Reference.Activations.Apply(activation, before[a]);
            }

        run.Compare<float>("x", expected, run.Arena.Read<float>(x, expected.Length));
    }
}
