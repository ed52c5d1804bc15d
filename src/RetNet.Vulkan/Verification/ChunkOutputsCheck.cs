using System.Numerics.Tensors;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_chunk_outputs: chunks of many lengths at once, each on a state of its own or on none, in tiles of queries that do not divide them, in both directions of time.</summary>
internal sealed class ChunkOutputsCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private static readonly Form[] Forms = [new(64, 8, 2, 10, 3, 1, false), new(256, 32, 4, 64, 2, 2, false), new(64, 64, 8, 6, 4, 2, true), new(64, 8, 2, 13, 4, 1, true, QueryGroup: 2, Reverse: true), new(64, 8, 4, 34, 2, 2, false, States: false)];

    private static Form[] LaneForms(uint lanes) => [new(lanes, lanes, 16, 10, 3, 1, false), new(lanes, 2 * lanes, 16, 64, 2, 2, true), new(lanes, 2 * lanes, 8, 14, 4, 1, true, QueryGroup: 2, Reverse: true), new(lanes, lanes, 8, 34, 2, 2, false, States: false)];

    private bool IsLane => Variant.Contains("_lane", StringComparison.Ordinal);

    /// <summary>Rows of each chunk.</summary>
    private static readonly int[] Chunks = [1, 37, 16, 70];

    private readonly record struct Form(uint Threads, uint TileLanes, uint Queries, int KeySize, int Heads, int Group, bool SumScores, int QueryGroup = 1, bool States = true, bool Reverse = false)
    {
        public int QueryTile => (int)(Math.Max(Threads / TileLanes, 1) * Queries);
    }

    private protected override void Run(CheckRun run)
    {
        foreach (var form in IsLane ? LaneForms(run.Device.Capabilities.SubgroupSize) : Forms)
        {
            using var kernel = new Kernel<ChunkOutputsArguments>(
                run.Device, Variant, form.Threads, form.TileLanes, form.Queries, (uint)form.KeySize, (uint)form.Heads, (uint)form.Group, Constant.Of(form.SumScores),
                (uint)form.QueryGroup, Constant.Of(form.States), Constant.Of(form.Reverse));
            foreach (var valueSize in new[] { IsLane ? 2 : 1, 54, 132 })
                Run(run, kernel, form, valueSize);
        }
    }

    private static void Run(CheckRun run, Kernel<ChunkOutputsArguments> kernel, Form form, int valueSize)
    {
        var vectors = (valueSize + 3) / 4;
        var rows = Chunks.Sum();
        var input = new ChunkInput(run, form.Heads, form.Group, form.KeySize, valueSize, rows, queryGroup: form.QueryGroup, reverse: form.Reverse);
        var states = Chunks.Select(_ => input.State(run)).ToArray();
        var width = form.Heads * valueSize;
        var stride = width + 3;
        var before = run.Values(rows * stride);
        var tiles = Tiles(Chunks, form.QueryTile);
        run.Arena.Clear();
        var o = run.Arena.AddOutput<float>("o", before);
        var scoreSums = run.Arena.AddOutput<float>("score sums", run.Values(rows * form.Heads));
        var projections = run.Arena.Add<float>("projections", input.Projections);
        var arguments = new ChunkOutputsArguments
        {
            Queries = projections,
            Keys = projections + input.KeysOffset,
            Values = projections + input.ValuesOffset,
            ChunkStates = run.Arena.Add<float>("chunk states", states.SelectMany(state => state).ToArray()),
            Tiles = run.Arena.Add<uint>("tiles", tiles),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(input.Decay)),
            O = o,
            ScoreSums = scoreSums,
            QueryStride = (uint)input.Stride,
            KeyStride = (uint)input.Stride,
            ValueStride = (uint)input.Stride,
            OutputStride = (uint)stride,
            ValueSize = (uint)valueSize,
            ValueVectors = (uint)vectors,
        };
        run.Run(
            $"{form}, dv {valueSize}",
            recorder => recorder.Dispatch(kernel, arguments, (uint)(tiles.Length / 4 * form.Heads), (uint)(vectors + form.TileLanes - 1) / form.TileLanes));

        var expected = before.Select(value => (double)value).ToArray();
        var expectedSums = new double[rows * form.Heads];
        for (int chunk = 0, first = 0; chunk < Chunks.Length; first += Chunks[chunk++])
        {
            var result = input.Advance([.. states[chunk].Select(value => form.States ? (double)value : 0)], first, Chunks[chunk]);
            for (var row = 0; row < Chunks[chunk]; row++)
                result.AsSpan(row * width, width).CopyTo(expected.AsSpan((first + row) * stride));
            for (var head = 0; head < form.Heads; head++)
            {
                var sums = SumScores(input, head, first, Chunks[chunk]);
                for (var row = 0; row < sums.Length; row++)
                    expectedSums[(first + (form.Reverse ? sums.Length - 1 - row : row)) * form.Heads + head] = sums[row];
            }
        }

        run.Compare<float>("o", expected, run.Arena.Read<float>(o, before.Length));
        if (form.SumScores)
            run.Compare<float>("score sums", expectedSums, run.Arena.Read<float>(scoreSums, expectedSums.Length));
    }

    /// <summary>Chunk, its first row, its rows and the first query in it, of each tile.</summary>
    public static uint[] Tiles(int[] chunks, int queryTile)
    {
        var tiles = new List<uint>();
        for (int chunk = 0, first = 0; chunk < chunks.Length; first += chunks[chunk++])
            for (var query = 0; query < chunks[chunk]; query += queryTile)
                tiles.AddRange([(uint)chunk, (uint)first, (uint)chunks[chunk], (uint)query]);
        return [.. tiles];
    }

    /// <summary>Σ_j γⁱ⁻ʲ |q̂_i·k̂_j| of each row of a chunk.</summary>
    private static double[] SumScores(ChunkInput input, int index, int first, int rows)
    {
        var head = input.Head(index, first, rows);
        var sums = new double[rows];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j <= i; j++)
                sums[i] += Math.Pow(head.Decay, i - j) * Math.Abs(TensorPrimitives.Dot(head.Query(i), head.Key(j)));
        return sums;
    }
}
