namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/matrix_scores.comp, which says what each is.</summary>
internal struct MatrixScoresArguments
{
    public ulong Queries;
    public ulong Keys;
    public ulong Scores;
    public ulong Tiles;
    public ulong Decay;
    public uint Stride;
    public uint ScoreStride;
}
