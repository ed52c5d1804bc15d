namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/head_sum.comp, which says what each is.</summary>
internal struct HeadSumArguments
{
    public ulong X;
    public ulong Y;
    public uint Columns;
    public uint Size;
    public uint XStride;
    public uint YStride;
}
