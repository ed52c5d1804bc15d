namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/attention/attention.comp, which says what each is.</summary>
internal struct AttentionArguments
{
    public ulong Projections;
    public ulong Keys;
    public ulong Values;
    public ulong Angles;
    public ulong Positions;
    public ulong StepsLeft;
    public ulong Partials;
    public ulong Sums;
    public ulong Y;
    public uint Stride;
    public uint OutputStride;
    public uint Capacity;
    public float Scale;
}
