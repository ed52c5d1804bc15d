namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/retention/rotate.comp, which says what each is.</summary>
internal struct RotateArguments
{
    public ulong X;
    public ulong Angles;
    public ulong Positions;
    public uint Stride;
    public uint QueryPairs;
    public uint Pairs;
    public float KeyScale;
}
