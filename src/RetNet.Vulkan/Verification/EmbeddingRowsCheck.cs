using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>embedding_rows_*: a row a token; what lies between the rows stays.</summary>
/// <param name="variant">The variant.</param>
/// <param name="type">Type of its weights.</param>
internal sealed class EmbeddingRowsCheck(string variant, BlockType type) : KernelCheck(variant, 3e-7)
{
    private const int Vocabulary = 37;
    private const float Scale = 0.3f;

    private protected override void Run(CheckRun run)
    {
        foreach (var (interleave, threads) in new[] { (1, 256u), (8, 32u) })
        {
            using var kernel = new Kernel<EmbeddingRowsArguments>(run.Device, Variant, threads, (uint)interleave);
            foreach (var (blocks, rows) in new[] { (1, 1), (13, 9) })
                Run(run, kernel, 3 * blocks * type.Length, rows, interleave);
        }
    }

    private void Run(CheckRun run, Kernel<EmbeddingRowsArguments> kernel, int columns, int rows, int interleave)
    {
        var matrix = CheckMatrix.Create(type, new RowLayout(Vocabulary, interleave, 1), columns, run);
        var tokens = Enumerable.Range(0, rows).Select(_ => run.Random.Next(Vocabulary)).ToArray();
        var runs = DeviceMatrix.RunsOf(type.Type, columns);
        var stride = runs * DeviceMatrix.RunLength(type.Type) + 8;
        var before = run.Values(rows * stride);
        run.Arena.Clear();
        var x = run.Arena.AddOutput<float>("x", before);
        var arguments = new EmbeddingRowsArguments
        {
            Weights = run.Arena.Add<byte>("weights", matrix.Quads),
            Scales = run.Arena.Add<byte>("scales", matrix.Scales),
            Tokens = run.Arena.Add<int>("tokens", tokens),
            X = x,
            Runs = (uint)runs,
            Vectors = (uint)stride / 4,
            Scale = Scale,
        };
        run.Run($"{rows} × {columns}", recorder => recorder.Dispatch(kernel, arguments, (uint)rows));

        var expected = before.Select(value => (double)value).ToArray();
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < stride - 8; column++)
                expected[row * stride + column] = column < columns ? (double)Scale * matrix.Values[tokens[row]][column] : 0;
        run.Compare<float>("x", expected, run.Arena.Read<float>(x, before.Length));
    }
}
