namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/recurrent.comp, which says what each is.</summary>
internal struct RetentionArguments
{
    public ulong Projections;
    public ulong HeadWeight;
    public ulong State;
    public ulong Decay;
    public ulong Angles;
    public ulong Positions;
    public ulong StepsLeft;
    public ulong Y;
    public ulong Squares;
    public uint Stride;
    public uint OutputStride;
    public uint SlotVectors;
    public uint ValueSize;
    public uint ValueVectors;
    public uint Group;
    public float KeyScale;
    public float Eps;
}
