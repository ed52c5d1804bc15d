using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>column_sum: partial sums of blocks, and one block added to what is there.</summary>
internal sealed class ColumnSumCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private protected override void Run(CheckRun run)
    {
        foreach (var accumulate in new[] { false, true })
        {
            using var kernel = new Kernel<ColumnSumArguments>(run.Device, Variant, 32, Constant.Of(accumulate));
            foreach (var (rows, columns, blockRows) in new[] { (1, 1, 4), (37, 70, 16), (200, 33, 200) })
                Run(run, kernel, accumulate, rows, columns, blockRows);
        }
    }

    private static void Run(CheckRun run, Kernel<ColumnSumArguments> kernel, bool accumulate, int rows, int columns, int blockRows)
    {
        var stride = columns + 5;
        var blocks = (rows + blockRows - 1) / blockRows;
        var (x, before) = (run.Values(rows * stride), run.Values(blocks * columns));
        run.Arena.Clear();
        var y = run.Arena.AddOutput<float>("y", before);
        var arguments = new ColumnSumArguments
        {
            X = run.Arena.Add<float>("x", x),
            Y = y,
            Rows = (uint)rows,
            Columns = (uint)columns,
            Stride = (uint)stride,
            BlockRows = (uint)blockRows,
        };
        run.Run($"{rows} × {columns}, blocks of {blockRows}", recorder => recorder.Dispatch(kernel, arguments, (uint)(columns + 31) / 32, (uint)blocks));

        var expected = before.Select(value => accumulate ? (double)value : 0).ToArray();
        for (var row = 0; row < rows; row++)
            for (var i = 0; i < columns; i++)
                expected[row / blockRows * columns + i] += x[row * stride + i];
        run.Compare<float>("y", expected, run.Arena.Read<float>(y, expected.Length));
    }
}
