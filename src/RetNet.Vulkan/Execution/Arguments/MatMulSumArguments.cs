namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/matmul/matmul_sum.comp, which says what each is.</summary>
internal struct MatMulSumArguments
{
    public ulong Partials;
    public ulong Y;
    public ulong Bias;
    public uint Rows;
    public uint Tokens;
    public uint Parts;
    public uint YStride;
    public uint PartialStride;
    public float ResidualScale;
}
