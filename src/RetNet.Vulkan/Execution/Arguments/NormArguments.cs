namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/norm/norm.comp, which says what each is.</summary>
internal struct NormArguments
{
    public ulong X;
    public ulong Y;
    public ulong Weight;
    public ulong Bias;
    public uint Columns;
    public uint Stride;
    public float Eps;
}
