namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/head_norm_backward.comp, which says what each is.</summary>
internal struct HeadNormBackwardArguments
{
    public ulong O;
    public ulong Dy;
    public ulong DO;
    public ulong G;
    public ulong Dg;
    public ulong HeadWeight;
    public ulong Decay;
    public ulong Positions;
    public ulong Scores;
    public uint Stride;
    public uint GateStride;
    public uint ValueSize;
    public float Eps;
}
