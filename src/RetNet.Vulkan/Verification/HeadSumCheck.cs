using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>head_sum: groups of one to four heads.</summary>
internal sealed class HeadSumCheck(string variant) : KernelCheck(variant, 1e-6)
{
    private const int Rows = 3;

    private protected override void Run(CheckRun run)
    {
        foreach (var (group, heads, size) in new[] { (2, 3, 7), (4, 1, 54), (1, 2, 33) })
        {
            using var kernel = new Kernel<HeadSumArguments>(run.Device, Variant, 32, (uint)group);
            Run(run, kernel, group, heads, size);
        }
    }

    private static void Run(CheckRun run, Kernel<HeadSumArguments> kernel, int group, int heads, int size)
    {
        var columns = heads * size;
        var (xStride, yStride) = (group * columns + 3, columns + 5);
        var (x, before) = (run.Values(Rows * xStride), run.Values(Rows * yStride));
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var arguments = new HeadSumArguments
        {
            X = run.Arena.Add<float>("x", x),
            Y = y,
            Columns = (uint)columns,
            Size = (uint)size,
            XStride = (uint)xStride,
            YStride = (uint)yStride,
        };
        run.Run($"{heads} of {group} × {size}", recorder => recorder.Dispatch(kernel, arguments, Rows));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < Rows; row++)
            for (var i = 0; i < columns; i++)
                expected[row * yStride + i] = Enumerable.Range(0, group).Sum(g => (double)x[row * xStride + (i / size * group + g) * size + i % size]);
        run.Compare<float>("y", expected, run.Arena.Read<float>(y, expected.Length));
    }
}
