namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/recurrent.comp, which says what each is.</summary>
internal struct RetentionArguments
{
    public ulong Q;
    public ulong K;
    public ulong V;
    public ulong G;
    public ulong HeadWeight;
    public ulong State;
    public ulong Decay;
    public ulong Angles;
    public ulong Position;
    public ulong Y;
    public ulong Squares;
    public uint ValueSize;
    public uint ValueVectors;
    public uint Group;
    public float KeyScale;
    public float Eps;
}
