namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/norm_backward.comp, which says what each is.</summary>
internal struct NormBackwardArguments
{
    public ulong X;
    public ulong Dy;
    public ulong Weight;
    public ulong Dx;
    public ulong Moments;
    public uint Columns;
    public uint Stride;
    public float Eps;
    public float Keep;
}
