namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/chunk_outputs.comp, which says what each is.</summary>
internal struct ChunkOutputsArguments
{
    public ulong Queries;
    public ulong Keys;
    public ulong Values;
    public ulong ChunkStates;
    public ulong Tiles;
    public ulong Decay;
    public ulong O;
    public ulong ScoreSums;
    public uint QueryStride;
    public uint KeyStride;
    public uint ValueStride;
    public uint OutputStride;
    public uint ValueSize;
    public uint ValueVectors;
}
