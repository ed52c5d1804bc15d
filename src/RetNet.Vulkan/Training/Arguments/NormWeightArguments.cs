namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/norm_weight.comp, which says what each is.</summary>
internal struct NormWeightArguments
{
    public ulong X;
    public ulong Dy;
    public ulong Moments;
    public ulong Partial;
    public uint Rows;
    public uint Columns;
    public uint Stride;
    public uint BlockRows;
}
