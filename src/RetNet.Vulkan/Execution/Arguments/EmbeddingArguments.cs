namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/embedding/embedding.comp, which says what each is.</summary>
internal struct EmbeddingArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong Tokens;
    public ulong Position;
    public ulong X;
    public uint Runs;
    public uint LogMask;
    public float Scale;
}
