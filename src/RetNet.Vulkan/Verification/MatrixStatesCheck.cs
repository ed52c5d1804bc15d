using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_matrix_states: several sequences at once, whose last chunks are shorter, on states of any past.</summary>
internal sealed class MatrixStatesCheck(string variant) : KernelCheck(variant, 1e-3)
{
    /// <summary>What f16 states are off more: a random bit decides their last place.</summary>
    private const double HalfSlack = 2;

    /// <summary>Tokens of each sequence; one leaves its slot alone.</summary>
    private static readonly int[] Lengths = [70, 0, 1, 32];

    /// <summary>Tokens that each had taken in before.</summary>
    private static readonly int[] Pasts = [0, 3, 5000, 70];

    /// <summary>Bytes of a slot that belong to other layers.</summary>
    private const int OtherLayers = 256;

    private protected override void Run(CheckRun run)
    {
        foreach (var form in MatrixForm.All)
        {
            using var kernel = KernelFactory.MatrixStates(run.Device, form.Config, CheckState.TypeOf(Variant));
            foreach (var chunkLength in new[] { 7, 32, 64 })
                Run(run, kernel, form, chunkLength);
        }
    }

    private void Run(CheckRun run, Kernel<MatrixStatesArguments> kernel, MatrixForm form, int chunkLength)
    {
        var tile = MatrixTile.States(run.Device.Capabilities);
        var input = new ChunkInput(run, form.Heads, form.Group, form.KeySize, form.ValueSize, Lengths.Sum(), halves: true);
        var layer = form.Heads * form.KeySize * form.ValueSize;
        var type = CheckState.TypeOf(Variant);
        var kept = new CheckState(type, input.Decay, layer / form.Heads);
        var states = Lengths.Select(_ => kept.Encode(input.State(run))).ToArray();
        byte[] before = [.. states.SelectMany(stored => stored.Concat(Enumerable.Repeat((byte)0x5A, OtherLayers)))];
        var slot = before.Length / Lengths.Length;
        var chunks = Lengths.Sum(length => (length + chunkLength - 1) / chunkLength);
        var segments = Segments(chunkLength);
        var tiles = ((uint)form.ValueSize + tile.N - 1) / tile.N;
        run.Arena.Clear();
        var state = run.Arena.AddOutput<byte>("state", before);
        var chunkStates = run.Arena.AddOutput<Half>("chunk states", new Half[chunks * layer]);
        var projections = run.Arena.Add<Half>("projections", input.Halves);
        var arguments = new MatrixStatesArguments
        {
            Keys = projections + input.KeysOffset,
            Values = projections + input.ValuesOffset,
            State = state,
            ChunkStates = chunkStates,
            Segments = run.Arena.Add<uint>("segments", segments),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(input.Decay)),
            Positions = run.Arena.Add<uint>("positions", Lengths.SelectMany((length, i) => Enumerable.Range(Pasts[i] + 1, length)).Select(n => (uint)n).ToArray()),
            Stride = (uint)input.Stride,
            SlotVectors = (uint)(slot / (states[0].Length / (layer / 4))),
            ValueSize = (uint)form.ValueSize,
            ChunkLength = (uint)chunkLength,
            ValueTiles = tiles,
        };
        run.Run(
            $"{form}, chunks of {chunkLength}",
            recorder => recorder.Dispatch(kernel, arguments, tiles * (((uint)form.KeySize + tile.M - 1) / tile.M), (uint)(form.Heads * segments.Length / 4)));

        var expected = states.Select((stored, i) => kept.Decode(stored, Pasts[i])).ToArray();
        var expectedChunks = new double[chunks * layer];
        for (int sequence = 0, row = 0, chunk = 0; sequence < Lengths.Length; row += Lengths[sequence++])
            for (var done = 0; done < Lengths[sequence]; done += chunkLength, chunk++)
            {
                for (var i = 0; i < layer; i++)
                    expectedChunks[chunk * layer + i] = expected[sequence][i] * MatrixForm.Scale(input.Decay[i / (layer / form.Heads)]);
                input.Advance(expected[sequence], row + done, Math.Min(chunkLength, Lengths[sequence] - done));
            }

        var after = run.Arena.Read<byte>(state, before.Length);
        var actual = Lengths.Select((length, i) => kept.Decode(after[(i * slot)..(i * slot + states[i].Length)], Pasts[i] + length)).ToArray();
        run.Compare<double>("state", [.. expected.SelectMany(values => values)], [.. actual.SelectMany(values => values)], type == StateType.F16 ? HalfSlack : 1);
        for (var i = 0; i < Lengths.Length; i++)
            if (!after.AsSpan(i * slot + states[i].Length, OtherLayers).SequenceEqual(before.AsSpan(i * slot + states[i].Length, OtherLayers)))
                run.Report(double.PositiveInfinity, $"the layer behind the state of sequence {i} was written to");
        run.Compare<Half>("chunk states", expectedChunks, run.Arena.Read<Half>(chunkStates, expectedChunks.Length));
    }

    /// <summary>Slot, first row, rows and first chunk of every sequence that has tokens.</summary>
    private static uint[] Segments(int chunkLength)
    {
        var segments = new List<uint>();
        for (int sequence = 0, row = 0, chunk = 0; sequence < Lengths.Length; row += Lengths[sequence++])
            if (Lengths[sequence] > 0)
            {
                segments.AddRange([(uint)sequence, (uint)row, (uint)Lengths[sequence], (uint)chunk]);
                chunk += (Lengths[sequence] + chunkLength - 1) / chunkLength;
            }

        return [.. segments];
    }
}
