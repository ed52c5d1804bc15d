namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/embedding/embedding_rows.comp, which says what each is.</summary>
internal struct EmbeddingRowsArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong Tokens;
    public ulong X;
    public uint Runs;
    public uint Vectors;
    public float Scale;
}
