namespace RetNet.Vulkan.Gpu;

/// <summary>Arguments of shaders/memory/copy.comp, which says what each is.</summary>
internal struct CopyArguments
{
    public ulong X;
    public ulong Y;
    public uint Quads;
}
