namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/include/matmul.glsl, which says what each is.</summary>
internal struct MatMulArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong X;
    public ulong Y;
    public ulong Partials;
    public ulong Bias;
    public uint Rows;
    public uint Runs;
    public uint Tokens;
    public uint XStride;
    public uint YStride;
    public uint PartialStride;
    public uint SplitColumns;
    public float ResidualScale;
}
