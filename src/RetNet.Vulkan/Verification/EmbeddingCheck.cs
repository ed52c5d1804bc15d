using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>embedding_*: the token at the log's position, also where the log has wrapped around, and the step of the position.</summary>
/// <param name="variant">The variant.</param>
/// <param name="type">Type of its weights.</param>
internal sealed class EmbeddingCheck(string variant, BlockType type) : KernelCheck(variant, 3e-7)
{
    private const int Vocabulary = 37;
    private const int LogLength = 16;
    private const float Scale = 2.5f;

    private protected override void Run(CheckRun run)
    {
        foreach (var (interleave, threads) in new[] { (1, 256u), (8, 32u) })
        {
            using var kernel = new Kernel<EmbeddingArguments>(run.Device, Variant, threads, (uint)interleave);
            foreach (var (blocks, position) in new[] { (1, 3u), (13, 35u) })
                Run(run, kernel, 3 * blocks * type.Length, position, interleave);
        }
    }

    private void Run(CheckRun run, Kernel<EmbeddingArguments> kernel, int columns, uint position, int interleave)
    {
        var matrix = CheckMatrix.Create(type, new RowLayout(Vocabulary, interleave, 1), columns, run);
        var tokens = Enumerable.Range(0, LogLength).Select(_ => run.Random.Next(Vocabulary)).ToArray();
        var runs = DeviceMatrix.RunsOf(type.Type, columns);
        run.Arena.Clear();
        var x = run.Arena.AddOutput<float>("x", run.Values(runs * DeviceMatrix.RunLength(type.Type)));
        var consumed = run.Arena.AddOutput<uint>("position", [position]);
        var arguments = new EmbeddingArguments
        {
            Weights = run.Arena.Add<byte>("weights", matrix.Quads),
            Scales = run.Arena.Add<byte>("scales", matrix.Scales),
            Tokens = run.Arena.Add<int>("tokens", tokens),
            Position = consumed,
            X = x,
            Runs = (uint)runs,
            LogMask = LogLength - 1,
            Scale = Scale,
        };
        run.Run($"{columns} columns, position {position}", recorder => recorder.Dispatch(kernel, arguments, 1));

        var padded = runs * DeviceMatrix.RunLength(type.Type);
        var expected = new double[padded];
        for (var column = 0; column < columns; column++)
            expected[column] = (double)Scale * matrix.Values[tokens[position % LogLength]][column];
        run.Compare<float>("x", expected, run.Arena.Read<float>(x, padded));
        run.Compare<uint>("position", [position + 1], run.Arena.Read<uint>(consumed, 1));
    }
}
