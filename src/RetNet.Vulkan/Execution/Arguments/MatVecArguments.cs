namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/include/matvec.glsl, which says what each is.</summary>
internal struct MatVecArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong X;
    public ulong NormWeight;
    public ulong HeadSquares;
    public ulong Y;
    public ulong Residual;
    public ulong Bias;
    public uint Rows;
    public uint Runs;
    public uint Columns;
    public uint Tokens;
    public uint XVectors;
    public uint YStride;
    public uint HeadTiles;
    public float Eps;
    public float ResidualScale;
}
