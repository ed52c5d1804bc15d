using System.Numerics.Tensors;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_matrix_outputs: chunks of many lengths at once, each on a state of its own, in tiles of queries that do not divide them.</summary>
internal sealed class MatrixOutputsCheck(string variant) : KernelCheck(variant, 1e-3)
{
    /// <summary>Rows of each chunk, and what a chunk may have.</summary>
    private static readonly int[] Chunks = [1, 37, 16, 70, 128];
    private const int ChunkLength = 128;

    private protected override void Run(CheckRun run)
    {
        foreach (var form in MatrixForm.All)
        {
            using var kernel = KernelFactory.MatrixOutputs(run.Device, form.Config, ChunkLength);
            Run(run, kernel, form);
        }
    }

    private static void Run(CheckRun run, Kernel<MatrixOutputsArguments> kernel, MatrixForm form)
    {
        var tile = MatrixTile.Outputs(run.Device.Capabilities, ChunkLength);
        var rows = Chunks.Sum();
        var input = new ChunkInput(run, form.Heads, form.Group, form.KeySize, form.ValueSize, rows, halves: true);
        var states = Chunks.Select(_ => input.State(run).Select(value => (Half)value).ToArray()).ToArray();
        var scores = run.Values(rows * form.Heads * ChunkLength).Select(value => (Half)value).ToArray();
        var width = form.Heads * form.ValueSize;
        var stride = width + 4;
        var before = run.Values(rows * stride);
        var tiles = ChunkOutputsCheck.Tiles(Chunks, (int)tile.M);
        Mask(scores, form.Heads);
        run.Arena.Clear();
        var o = run.Arena.AddOutput<float>("o", before);
        var projections = run.Arena.Add<Half>("projections", input.Halves);
        var arguments = new MatrixOutputsArguments
        {
            Queries = projections,
            Scores = run.Arena.Add<Half>("scores", scores),
            Values = projections + input.ValuesOffset,
            ChunkStates = run.Arena.Add<Half>("chunk states", states.SelectMany(state => state).ToArray()),
            Tiles = run.Arena.Add<uint>("tiles", tiles),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(input.Decay)),
            O = o,
            Stride = (uint)input.Stride,
            ScoreStride = ChunkLength,
            OutputStride = (uint)stride,
            ValueSize = (uint)form.ValueSize,
        };
        run.Run($"{form}", recorder => recorder.Dispatch(kernel, arguments, (uint)(tiles.Length / 4 * form.Heads), ((uint)form.ValueSize + tile.N - 1) / tile.N));

        var expected = before.Select(value => (double)value).ToArray();
        for (int chunk = 0, first = 0; chunk < Chunks.Length; first += Chunks[chunk++])
            for (var head = 0; head < form.Heads; head++)
            {
                var own = input.Head(head, first, Chunks[chunk]);
                for (var i = 0; i < Chunks[chunk]; i++)
                {
                    var row = expected.AsSpan((first + i) * stride + head * form.ValueSize, form.ValueSize);
                    row.Clear();
                    for (var j = 0; j <= i; j++)
                        Add(row, (double)scores[((first + i) * form.Heads + head) * ChunkLength + j], own.Value(j));
                    for (var key = 0; key < form.KeySize; key++)
                        Add(row, own.Query(i)[key] * Math.Pow(own.Decay, i + 1), State(states[chunk], head * form.KeySize + key, form.ValueSize));
                    TensorPrimitives.Divide(row, MatrixForm.Scale(input.Decay[head]), row);
                }
            }

        run.Compare<float>("o", expected, run.Arena.Read<float>(o, before.Length));
    }

    private static void Add(Span<double> row, double factor, ReadOnlySpan<double> values) => TensorPrimitives.MultiplyAdd(values, factor, row, row);

    private static double[] State(Half[] state, int row, int valueSize) => [.. state.AsSpan(row * valueSize, valueSize).ToArray().Select(value => (double)value)];

    /// <summary>Zeros behind a query, as matrix_scores leaves them.</summary>
    private static void Mask(Half[] scores, int heads)
    {
        for (int chunk = 0, row = 0; chunk < Chunks.Length; chunk++)
            for (var i = 0; i < Chunks[chunk]; i++, row++)
                for (var head = 0; head < heads; head++)
                    scores.AsSpan((row * heads + head) * ChunkLength + i + 1, ChunkLength - i - 1).Clear();
    }
}
