namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/embedding/embedding.comp, which says what each is.</summary>
internal struct EmbeddingArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong Tokens;
    public ulong Positions;
    public ulong StepsLeft;
    public ulong X;
    public uint Runs;
    public uint Vectors;
    public uint LogMask;
    public float Scale;
}
