using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>retention_chunk_states: several sequences at once, whose last chunks are shorter, on states of any past, and backwards in time from nothing.</summary>
internal sealed class ChunkStatesCheck(string variant) : KernelCheck(variant, 3e-6)
{
    private static readonly Form[] Forms = [new(64, 8, 8, 10, 3, 1), new(256, 32, 8, 64, 2, 2), new(64, 64, 4, 6, 4, 2), new(64, 8, 8, 13, 2, 1, Reverse: true)];

    private static Form[] LaneForms(uint lanes) => [new(lanes, lanes, 2 * lanes, 10, 3, 1), new(lanes, 2 * lanes, 4 * lanes, 64, 2, 2), new(lanes, 2 * lanes, 2 * lanes, 26, 2, 1, Reverse: true)];

    private bool IsLane => Variant.Contains("_lane", StringComparison.Ordinal);

    /// <summary>Tokens of each sequence; one leaves its slot alone.</summary>
    private static readonly int[] Lengths = [37, 0, 1, 16];

    /// <summary>Tokens that each had taken in before.</summary>
    private static readonly int[] Pasts = [0, 3, 5000, 70];

    /// <summary>Bytes of a slot that belong to other layers.</summary>
    private const int OtherLayers = 256;

    private readonly record struct Form(uint Threads, uint TileLanes, uint KeyRows, int KeySize, int Heads, int Group, bool Reverse = false);

    private protected override void Run(CheckRun run)
    {
        foreach (var form in IsLane ? LaneForms(run.Device.Capabilities.SubgroupSize) : Forms)
        {
            using var kernel = new Kernel<ChunkStatesArguments>(
                run.Device, Variant, form.Threads, form.TileLanes, form.KeyRows, (uint)form.KeySize, (uint)form.Heads, (uint)form.Group, Constant.Of(!form.Reverse), Constant.Of(form.Reverse));
            foreach (var (valueSize, chunkLength) in new[] { (IsLane ? 6 : 7, 16), (54, 1), (132, 64) })
                Run(run, kernel, form, valueSize, chunkLength);
        }
    }

    private void Run(CheckRun run, Kernel<ChunkStatesArguments> kernel, Form form, int valueSize, int chunkLength)
    {
        var vectors = (valueSize + 3) / 4;
        var rows = Lengths.Sum();
        var input = new ChunkInput(run, form.Heads, form.Group, form.KeySize, valueSize, rows, reverse: form.Reverse);
        var layer = form.Heads * form.KeySize * vectors * 4;
        var kept = new CheckState(CheckState.TypeOf(Variant), input.Decay, form.KeySize * vectors * 4);
        var states = Lengths.Select(_ => kept.Encode(input.State(run))).ToArray();
        // A slot has more layers than this one.
        byte[] before = [.. states.SelectMany(stored => stored.Concat(Enumerable.Repeat((byte)0x5A, OtherLayers)))];
        var slot = before.Length / Lengths.Length;
        var chunks = Lengths.Sum(length => (length + chunkLength - 1) / chunkLength);
        var segments = Segments(chunkLength);
        var tiles = (uint)(vectors + form.TileLanes - 1) / form.TileLanes;
        var keyRows = Math.Max(form.Threads / form.TileLanes, 1) * form.KeyRows;
        run.Arena.Clear();
        var state = run.Arena.AddOutput<byte>("state", before);
        var chunkStates = run.Arena.AddOutput<float>("chunk states", run.Values(chunks * layer));
        var projections = run.Arena.Add<float>("projections", input.Projections);
        var arguments = new ChunkStatesArguments
        {
            Keys = projections + input.KeysOffset,
            Values = projections + input.ValuesOffset,
            State = state,
            ChunkStates = chunkStates,
            Segments = run.Arena.Add<uint>("segments", segments),
            Decay = run.Arena.Add<float>("decay", RetNetModel.DecayTable(input.Decay)),
            Positions = run.Arena.Add<uint>("positions", Lengths.SelectMany((length, i) => Enumerable.Range(Pasts[i] + 1, length)).Select(n => (uint)n).ToArray()),
            KeyStride = (uint)input.Stride,
            ValueStride = (uint)input.Stride,
            SlotVectors = (uint)(slot / (states[0].Length / (layer / 4))),
            ValueSize = (uint)valueSize,
            ValueVectors = (uint)vectors,
            ChunkLength = (uint)chunkLength,
            ValueTiles = tiles,
        };
        run.Run(
            $"{form}, dv {valueSize}, chunks of {chunkLength}",
            recorder => recorder.Dispatch(kernel, arguments, tiles * (((uint)form.KeySize + keyRows - 1) / keyRows), (uint)(form.Heads * segments.Length / 4)));

        var expected = states.Select((stored, i) => kept.Decode(stored, Pasts[i])).ToArray();
        var expectedChunks = new double[chunks * layer];
        for (int sequence = 0, row = 0, chunk = 0; sequence < Lengths.Length; row += Lengths[sequence++])
        {
            var passed = form.Reverse ? new double[layer] : expected[sequence];
            var starts = Enumerable.Range(0, (Lengths[sequence] + chunkLength - 1) / chunkLength).Select(i => i * chunkLength);
            foreach (var start in form.Reverse ? starts.Reverse() : starts)
            {
                passed.CopyTo(expectedChunks, (chunk + start / chunkLength) * layer);
                input.Advance(passed, row + start, Math.Min(chunkLength, Lengths[sequence] - start));
            }

            chunk += starts.Count();
        }

        var after = run.Arena.Read<byte>(state, before.Length);
        var actual = Lengths.Select((length, i) => kept.Decode(after[(i * slot)..(i * slot + states[i].Length)], Pasts[i] + (form.Reverse ? 0 : length))).ToArray();
        run.Compare<double>("state", [.. expected.SelectMany(values => values)], [.. actual.SelectMany(values => values)], kept.Slack);
        for (var i = 0; i < Lengths.Length; i++)
            if (!after.AsSpan(i * slot + states[i].Length, OtherLayers).SequenceEqual(before.AsSpan(i * slot + states[i].Length, OtherLayers)))
                run.Report(double.PositiveInfinity, $"the layer behind the state of sequence {i} was written to");
        run.Compare<float>("chunk states", expectedChunks, run.Arena.Read<float>(chunkStates, expectedChunks.Length));
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
