using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>norm_weight: blocks of rows that do not divide them, and columns that do not fill a workgroup.</summary>
internal sealed class NormWeightCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<NormWeightArguments>(run.Device, Variant, 32);
        foreach (var (rows, columns, blockRows) in new[] { (1, 1, 4), (37, 70, 16), (200, 33, 64) })
            Run(run, kernel, rows, columns, blockRows);
    }

    private static void Run(CheckRun run, Kernel<NormWeightArguments> kernel, int rows, int columns, int blockRows)
    {
        var stride = columns + 5;
        var blocks = (rows + blockRows - 1) / blockRows;
        var (x, dy, moments) = (run.Values(rows * stride), run.Values(rows * stride), run.Values(2 * rows));
        run.Arena.Clear();
        var partial = run.Arena.AddOutput<float>("partial", run.Values(blocks * columns));
        var arguments = new NormWeightArguments
        {
            X = run.Arena.Add<float>("x", x),
            Dy = run.Arena.Add<float>("dy", dy),
            Moments = run.Arena.Add<float>("moments", moments),
            Partial = partial,
            Rows = (uint)rows,
            Columns = (uint)columns,
            Stride = (uint)stride,
            BlockRows = (uint)blockRows,
        };
        run.Run($"{rows} × {columns}, blocks of {blockRows}", recorder => recorder.Dispatch(kernel, arguments, (uint)(columns + 31) / 32, (uint)blocks));

        var expected = new double[blocks * columns];
        for (var row = 0; row < rows; row++)
            for (var i = 0; i < columns; i++)
                expected[row / blockRows * columns + i] += (double)dy[row * stride + i] * ((double)x[row * stride + i] - moments[2 * row]) * moments[2 * row + 1];
        run.Compare<float>("partial", expected, run.Arena.Read<float>(partial, expected.Length));
    }
}
