namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/norm/round.comp, which says what each is.</summary>
internal struct RoundArguments
{
    public ulong X;
    public ulong Y;
    public uint Quads;
}
