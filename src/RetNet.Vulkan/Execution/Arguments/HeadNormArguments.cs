namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/norm/head_norm.comp, which says what each is.</summary>
internal struct HeadNormArguments
{
    public ulong O;
    public ulong Y;
    public ulong G;
    public ulong HeadWeight;
    public ulong Decay;
    public ulong Positions;
    public ulong Scores;
    public uint Stride;
    public uint GateStride;
    public uint ValueSize;
    public float Eps;
}
