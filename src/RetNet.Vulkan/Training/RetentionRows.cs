using RetNet.Vulkan.Execution;

namespace RetNet.Vulkan.Training;

/// <summary>What retention is told about its rows, and where it keeps what is between them: device addresses.</summary>
internal readonly record struct RetentionRows
{
    /// <summary>How many there are of each.</summary>
    public required PassShape Shape { get; init; }

    /// <summary>Slot, first row, rows and first chunk of each sequence.</summary>
    public required ulong Segments { get; init; }

    /// <summary>Chunk, its first row, its rows, and the first query in it, of each tile of queries.</summary>
    public required ulong QueryTiles { get; init; }

    /// <summary>(γ, ln γ) of each head.</summary>
    public required ulong Decay { get; init; }

    /// <summary>The states that chunks begin with; 0 without chunks.</summary>
    public required ulong ChunkStates { get; init; }

    /// <summary>Σ|score| of each row and head; 0 without torchscale's clamp.</summary>
    public ulong ScoreSums { get; init; }
}
