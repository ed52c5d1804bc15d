namespace RetNet.Vulkan.Execution;

/// <summary>What the commands of a pass depend on; passes of the same shape share a recording.</summary>
/// <param name="Rows">Tokens.</param>
/// <param name="Segments">Pieces of sequences.</param>
/// <param name="QueryTiles">Tiles of queries, each within a chunk.</param>
internal readonly record struct PassShape(int Rows, int Segments, int QueryTiles);
