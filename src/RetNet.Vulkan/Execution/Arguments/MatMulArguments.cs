namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/include/matmul.glsl, which says what each is.</summary>
internal struct MatMulArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong X;
    public ulong Y;
    public ulong Bias;
    public ulong Partials;
    public ulong Arrivals;
    public ulong Squares;
    public ulong NormWeight;
    public ulong Normed;
    public ulong HeadSquares;
    public uint Rows;
    public uint Runs;
    public uint Tokens;
    public uint XStride;
    public uint YStride;
    public uint SplitColumns;
    public uint InputTiles;
    public uint InputWidth;
    public float ResidualScale;
    public float Eps;
}
