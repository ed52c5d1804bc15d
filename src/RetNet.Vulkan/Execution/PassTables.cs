using System.Runtime.InteropServices;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What the kernels of a pass are told about its rows: tokens, positions, and how rows belong to segments, chunks and tiles
/// of queries. Written by the host, copied to the device as the pass begins.
/// </summary>
internal sealed class PassTables : IDisposable
{
    /// <summary>Bytes of an entry of <see cref="Segments"/> or <see cref="QueryTiles"/>.</summary>
    public const int TileBytes = 16;

    private readonly GpuBuffer _host;
    private readonly GpuBuffer _device;
    private readonly int _rows;
    private readonly int _queryTile;

    /// <param name="device">The device.</param>
    /// <param name="rows">Tokens of a pass at most, and so segments and tiles.</param>
    /// <param name="queryTile">Queries of a tile.</param>
    public PassTables(GpuDevice device, int rows, int queryTile)
    {
        (_rows, _queryTile) = (rows, queryTile);
        var bytes = TilesOffset + (ulong)rows * TileBytes;
        _host = device.Allocate("pass tables, host", bytes, MemoryPlacement.Upload);
        _device = device.Allocate("pass tables", bytes);
    }

    /// <summary>Tokens, [rows].</summary>
    public ulong Tokens => _device.Address;

    /// <summary>Tokens that each row's sequence has consumed, the row's included, [rows].</summary>
    public ulong Positions => _device.Address + PositionsOffset;

    /// <summary>Slot, first row, rows and first chunk of each segment.</summary>
    public ulong Segments => _device.Address + SegmentsOffset;

    /// <summary>Chunk, its first row, its rows, and the first query in it, of each tile of queries.</summary>
    public ulong QueryTiles => _device.Address + TilesOffset;

    private ulong PositionsOffset => (ulong)_rows * sizeof(uint);

    private ulong SegmentsOffset => (PositionsOffset * 2 + 15) / 16 * 16;

    private ulong TilesOffset => SegmentsOffset + (ulong)_rows * TileBytes;

    /// <summary>Writes the tables of a pass; the one before must have run.</summary>
    public PassShape Write(ReadOnlySpan<Segment> segments, int? chunkLength)
    {
        var bytes = _host.AsSpan<byte>();
        var tokens = MemoryMarshal.Cast<byte, int>(bytes)[.._rows];
        var positions = MemoryMarshal.Cast<byte, uint>(bytes[(int)PositionsOffset..])[.._rows];
        var segmentTable = MemoryMarshal.Cast<byte, (uint, uint, uint, uint)>(bytes[(int)SegmentsOffset..])[.._rows];
        var tileTable = MemoryMarshal.Cast<byte, (uint, uint, uint, uint)>(bytes[(int)TilesOffset..])[.._rows];
        int row = 0, chunk = 0, tile = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];
            var length = segment.Tokens.Length;
            segmentTable[i] = ((uint)segment.Slot, (uint)row, (uint)length, (uint)chunk);
            for (var start = 0; start < length; start += chunkLength ?? length, chunk++)
            {
                var rows = Math.Min(chunkLength ?? length, length - start);
                for (var query = 0; query < rows; query += _queryTile)
                    tileTable[tile++] = ((uint)chunk, (uint)(row + start), (uint)rows, (uint)query);
            }

            segment.Tokens.Span.CopyTo(tokens[row..]);
            for (var n = 0; n < length; n++)
                positions[row++] = (uint)(segment.Position + n + 1);
        }

        return new PassShape(row, segments.Length, tile);
    }

    /// <summary>Copies the tables to the device.</summary>
    public void RecordUpload(Recorder recorder) => recorder.Copy(_host, 0, _device, 0, _host.Bytes);

    public void Dispose()
    {
        _device.Dispose();
        _host.Dispose();
    }
}
