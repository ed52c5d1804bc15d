namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/norm/rms_norm.comp, which says what each is.</summary>
internal struct RmsNormArguments
{
    public ulong X;
    public ulong Weight;
    public uint Columns;
    public float Eps;
}
