namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/unit.comp, which says what each is.</summary>
internal struct UnitArguments
{
    public ulong X;
    public ulong H;
    public uint Columns;
    public uint Stride;
    public uint HiddenStride;
}
