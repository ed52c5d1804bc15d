namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/matrix_outputs.comp, which says what each is.</summary>
internal struct MatrixOutputsArguments
{
    public ulong Queries;
    public ulong Scores;
    public ulong Values;
    public ulong ChunkStates;
    public ulong Tiles;
    public ulong Decay;
    public ulong O;
    public uint Stride;
    public uint ScoreStride;
    public uint OutputStride;
    public uint ValueSize;
}
