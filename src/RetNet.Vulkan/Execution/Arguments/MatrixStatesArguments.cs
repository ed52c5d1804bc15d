namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/matrix_states.comp, which says what each is.</summary>
internal struct MatrixStatesArguments
{
    public ulong Keys;
    public ulong Values;
    public ulong State;
    public ulong ChunkStates;
    public ulong Segments;
    public ulong Decay;
    public ulong Positions;
    public uint Stride;
    public uint SlotVectors;
    public uint ValueSize;
    public uint ChunkLength;
    public uint ValueTiles;
}
