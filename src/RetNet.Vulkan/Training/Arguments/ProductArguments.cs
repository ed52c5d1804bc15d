namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/include/product.glsl, which says what each is.</summary>
internal struct ProductArguments
{
    public ulong A;
    public ulong B;
    public ulong C;
    public ulong Partials;
    public ulong Bias;
    public uint M;
    public uint N;
    public uint K;
    public uint AStride;
    public uint BStride;
    public uint CStride;
    public uint PartialStride;
    public uint SplitDepth;
    public float Scale;
    public float Keep;
}
