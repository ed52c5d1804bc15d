using System.Numerics.Tensors;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_matrix_scores: chunks of many lengths at once, in tiles of queries and keys that do not divide them.</summary>
internal sealed class MatrixScoresCheck(string variant) : KernelCheck(variant, 1e-3)
{
    /// <summary>Rows of each chunk, and what a chunk may have.</summary>
    private static readonly int[] Chunks = [1, 37, 16, 70, 128];
    private const int ChunkLength = 128;

    private protected override void Run(CheckRun run)
    {
        foreach (var form in MatrixForm.All)
        {
            using var kernel = KernelFactory.MatrixScores(run.Device, form.Config, ChunkLength);
            Run(run, kernel, form);
        }
    }

    private static void Run(CheckRun run, Kernel<MatrixScoresArguments> kernel, MatrixForm form)
    {
        var tile = MatrixTile.Scores(run.Device.Capabilities, ChunkLength);
        var rows = Chunks.Sum();
        var input = new ChunkInput(run, form.Heads, form.Group, form.KeySize, form.ValueSize, rows, halves: true);
        var tiles = ChunkOutputsCheck.Tiles(Chunks, (int)tile.M);
        run.Arena.Clear();
        var scores = run.Arena.AddOutput<Half>("scores", new Half[rows * form.Heads * ChunkLength]);
        var projections = run.Arena.Add<Half>("projections", input.Halves);
        var arguments = new MatrixScoresArguments
        {
            Queries = projections,
            Keys = projections + input.KeysOffset,
            Scores = scores,
            Tiles = run.Arena.Add<uint>("tiles", tiles),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(input.Decay)),
            Stride = (uint)input.Stride,
            ScoreStride = ChunkLength,
        };
        run.Run($"{form}", recorder => recorder.Dispatch(kernel, arguments, (uint)(tiles.Length / 4 * form.Heads), ChunkLength / tile.N));

        var expected = new double[rows * form.Heads * ChunkLength];
        for (int chunk = 0, first = 0; chunk < Chunks.Length; first += Chunks[chunk++])
            for (var index = 0; index < form.Heads; index++)
            {
                var head = input.Head(index, first, Chunks[chunk]);
                for (var i = 0; i < Chunks[chunk]; i++)
                    for (var j = 0; j <= i; j++)
                        expected[((first + i) * form.Heads + index) * ChunkLength + j] =
                            Math.Pow(head.Decay, i - j) * TensorPrimitives.Dot(head.Query(i), head.Key(j)) * MatrixForm.Scale(input.Decay[index]);
            }

        run.Compare<Half>("scores", expected, run.Arena.Read<Half>(scores, expected.Length));
    }
}
