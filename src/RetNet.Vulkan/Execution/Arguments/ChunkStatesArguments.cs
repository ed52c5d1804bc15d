namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/chunk_states.comp, which says what each is.</summary>
internal struct ChunkStatesArguments
{
    public ulong Keys;
    public ulong Values;
    public ulong State;
    public ulong ChunkStates;
    public ulong Segments;
    public ulong Decay;
    public ulong Positions;
    public uint KeyStride;
    public uint ValueStride;
    public uint SlotVectors;
    public uint ValueSize;
    public uint ValueVectors;
    public uint ChunkLength;
    public uint ValueTiles;
}
