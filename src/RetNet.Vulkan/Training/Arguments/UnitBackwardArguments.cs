namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/unit_backward.comp, which says what each is.</summary>
internal struct UnitBackwardArguments
{
    public ulong X;
    public ulong Dh;
    public uint Columns;
    public uint Stride;
    public uint HiddenStride;
}
