namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/product_sum.comp, which says what each is.</summary>
internal struct ProductSumArguments
{
    public ulong Partials;
    public ulong C;
    public ulong Bias;
    public uint M;
    public uint N;
    public uint Parts;
    public uint CStride;
    public uint PartialStride;
    public float Keep;
}
