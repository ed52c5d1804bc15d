namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/chain/chain_probe.comp, which says what each is.</summary>
internal struct ChainProbeArguments
{
    public ulong X;
    public ulong Y;
}
