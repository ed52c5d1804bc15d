namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/embedding_gradient.comp, which says what each is.</summary>
internal struct EmbeddingGradientArguments
{
    public ulong Gradient;
    public ulong Dx;
    public ulong Entries;
    public ulong Order;
    public uint Columns;
    public uint Stride;
    public uint DxStride;
    public float Scale;
}
