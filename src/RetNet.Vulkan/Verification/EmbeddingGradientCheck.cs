using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Verification;

/// <summary>embedding_gradient: tokens that come once, often and never; it adds, and leaves what lies between the rows.</summary>
internal sealed class EmbeddingGradientCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private const int Vocabulary = 11;
    private const float Scale = 0.3f;

    private protected override void Run(CheckRun run)
    {
        foreach (var threads in new[] { 8u, 64u })
        {
            using var kernel = new Kernel<EmbeddingGradientArguments>(run.Device, Variant, threads);
            foreach (var (rows, columns) in new[] { (1, 1), (23, 150) })
                Run(run, kernel, rows, columns);
        }
    }

    private static void Run(CheckRun run, Kernel<EmbeddingGradientArguments> kernel, int rows, int columns)
    {
        var (stride, dxStride) = (columns + 5, columns + 3);
        var tokens = Enumerable.Range(0, rows).Select(_ => run.Random.Next(Vocabulary)).ToArray();
        var (entries, order) = (new uint[3 * rows], new uint[rows]);
        EmbeddingGradient.Sort(tokens, entries, order);
        var dx = run.Values(rows * dxStride);
        var before = run.Values(Vocabulary * stride);
        run.Arena.Clear();
        var gradient = run.Arena.AddOutput<float>("gradient", before);
        var arguments = new EmbeddingGradientArguments
        {
            Gradient = gradient,
            Dx = run.Arena.Add<float>("dx", dx),
            Entries = run.Arena.Add<uint>("entries", entries),
            Order = run.Arena.Add<uint>("order", order),
            Columns = (uint)columns,
            Stride = (uint)stride,
            DxStride = (uint)dxStride,
            Scale = Scale,
        };
        run.Run($"{rows} × {columns}", recorder => recorder.Dispatch(kernel, arguments, (uint)rows, 2));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                expected[(tokens[row] * stride) + column] += (double)Scale * dx[(row * dxStride) + column];
        run.Compare<float>("gradient", expected, run.Arena.Read<float>(gradient, before.Length));
    }
}
