using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// embedding_*: the token at each log's position, also where a log has wrapped around, and the step of the position. Sequences
/// without steps left get zeros; what lies between the rows stays.
/// </summary>
/// <param name="variant">The variant.</param>
/// <param name="type">Type of its weights.</param>
internal sealed class EmbeddingCheck(string variant, BlockType type) : KernelCheck(variant, 3e-7)
{
    private const int Vocabulary = 37;
    private const int LogLength = 16;
    private const int Gap = 8;
    private const float Scale = 2.5f;

    private protected override void Run(CheckRun run)
    {
        foreach (var (interleave, threads) in new[] { (1, 256u), (8, 32u) })
        {
            using var kernel = new Kernel<EmbeddingArguments>(run.Device, Variant, threads, (uint)interleave);
            Run(run, kernel, 3 * type.Length, interleave, positions: [3], stepsLeft: [1]);
            Run(run, kernel, 39 * type.Length, interleave, positions: [35, 4, 0, 7, 1_000_003], stepsLeft: [uint.MaxValue, 0, 2, 0, 1]);
        }
    }

    private void Run(CheckRun run, Kernel<EmbeddingArguments> kernel, int columns, int interleave, uint[] positions, uint[] stepsLeft)
    {
        var matrix = CheckMatrix.Create(type, new RowLayout(Vocabulary, interleave, 1), columns, run);
        var sequences = positions.Length;
        var tokens = Enumerable.Range(0, sequences * LogLength).Select(_ => run.Random.Next(Vocabulary)).ToArray();
        var runs = DeviceMatrix.RunsOf(type.Type, columns);
        var padded = runs * DeviceMatrix.RunLength(type.Type);
        var stride = padded + Gap;
        var before = run.Values(sequences * stride);
        run.Arena.Clear();
        var x = run.Arena.AddOutput<float>("x", before);
        var consumed = run.Arena.AddOutput<uint>("positions", positions);
        var arguments = new EmbeddingArguments
        {
            Weights = run.Arena.Add<byte>("weights", matrix.Quads),
            Scales = run.Arena.Add<byte>("scales", matrix.Scales),
            Tokens = run.Arena.Add<int>("tokens", tokens),
            Positions = consumed,
            StepsLeft = run.Arena.Add<uint>("steps left", stepsLeft),
            X = x,
            Runs = (uint)runs,
            Vectors = (uint)stride / 4,
            LogMask = LogLength - 1,
            Scale = Scale,
        };
        run.Run($"{sequences} × {columns}", recorder => recorder.Dispatch(kernel, arguments, (uint)sequences));

        var expected = before.Select(value => (double)value).ToArray();
        for (var sequence = 0; sequence < sequences; sequence++)
            for (var column = 0; column < padded; column++)
                expected[sequence * stride + column] = stepsLeft[sequence] > 0 && column < columns
                    ? (double)Scale * matrix.Values[tokens[sequence * LogLength + positions[sequence] % LogLength]][column]
                    : 0;
        run.Compare<float>("x", expected, run.Arena.Read<float>(x, before.Length));
        run.Compare<uint>("position", [.. positions.Select((position, i) => stepsLeft[i] > 0 ? position + 1.0 : position)], run.Arena.Read<uint>(consumed, sequences));
    }
}
