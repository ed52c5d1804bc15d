namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/matmul/unpack.comp, which says what each is.</summary>
internal struct UnpackArguments
{
    public ulong Weights;
    public ulong Scales;
    public ulong Unpacked;
    public uint Runs;
}
