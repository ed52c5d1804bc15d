using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Training;

/// <summary>Retention of whole sequences in a role (shaders/retention/chunk_*.comp): no state goes in or comes out.</summary>
internal sealed class RoledRetention : IDisposable
{
    private readonly GpuDevice _device;
    private readonly Tuning _tuning;
    private readonly RetentionRole _role;
    private readonly uint _chunkLength;
    private readonly Kernel<ChunkStatesArguments>? _states;
    private readonly Kernel<ChunkOutputsArguments> _outputs;

    /// <param name="device">The device.</param>
    /// <param name="tuning">Sizes, for all roles of a model the same.</param>
    /// <param name="role">The role.</param>
    /// <param name="chunkLength">Tokens of a chunk; of a role without chunks, of a sequence.</param>
    public RoledRetention(GpuDevice device, Tuning tuning, RetentionRole role, int chunkLength)
    {
        (_device, _tuning, _role, _chunkLength) = (device, tuning, role, (uint)chunkLength);
        _states = role.Chunked ? LayerKernels.ChunkStates(device, tuning, role) : null;
        _outputs = LayerKernels.ChunkOutputs(device, tuning, role);
    }

    /// <summary>Records it, and a barrier behind it.</summary>
    /// <param name="recorder">The commands.</param>
    /// <param name="queries">Queries, [rows][heads / QueryGroup][KeySize].</param>
    /// <param name="keys">Keys, [rows][heads / Group][KeySize].</param>
    /// <param name="values">Values, [rows][heads / Group][ValueSize].</param>
    /// <param name="output">Outputs, [rows][heads][ValueSize].</param>
    /// <param name="rows">What rows belong to.</param>
    public void Record(Recorder recorder, RowArray queries, RowArray keys, RowArray values, RowArray output, RetentionRows rows)
    {
        var vectors = (uint)_role.ValueVectors;
        var valueTiles = (vectors + _tuning.ChunkTileVectors - 1) / _tuning.ChunkTileVectors;
        var keyRows = _tuning.ChunkSlices * _tuning.ChunkKeyRows;
        if (_states is not null)
        {
            recorder.Dispatch(_states, new ChunkStatesArguments
            {
                Keys = keys.Address,
                Values = values.Address,
                ChunkStates = rows.ChunkStates,
                Segments = rows.Segments,
                Decay = rows.Decay,
                KeyStride = (uint)keys.Stride,
                ValueStride = (uint)values.Stride,
                ValueSize = (uint)_role.ValueSize,
                ValueVectors = vectors,
                ChunkLength = _chunkLength,
                ValueTiles = valueTiles,
            }, valueTiles * (((uint)_role.KeySize + keyRows - 1) / keyRows), (uint)(_role.Heads * rows.Shape.Segments));
            recorder.Barrier();
        }

        foreach (var (firstTile, tiles) in RowBlocks.Of(_device, rows.Shape.QueryTiles, _role.Heads))
            recorder.Dispatch(_outputs, new ChunkOutputsArguments
            {
                Queries = queries.Address,
                Keys = keys.Address,
                Values = values.Address,
                ChunkStates = rows.ChunkStates,
                Tiles = rows.QueryTiles + ((ulong)firstTile * PassTables.TileBytes),
                Decay = rows.Decay,
                O = output.Address,
                ScoreSums = rows.ScoreSums,
                QueryStride = (uint)queries.Stride,
                KeyStride = (uint)keys.Stride,
                ValueStride = (uint)values.Stride,
                OutputStride = (uint)output.Stride,
                ValueSize = (uint)_role.ValueSize,
                ValueVectors = vectors,
            }, tiles * (uint)_role.Heads, valueTiles);
        recorder.Barrier();
    }

    public void Dispose()
    {
        _outputs.Dispose();
        _states?.Dispose();
    }
}
