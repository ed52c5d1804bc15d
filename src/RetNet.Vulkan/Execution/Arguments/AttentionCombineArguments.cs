namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/attention/attention_combine.comp, which says what each is.</summary>
internal struct AttentionCombineArguments
{
    public ulong Partials;
    public ulong Sums;
    public ulong StepsLeft;
    public ulong Y;
    public uint OutputStride;
    public uint Splits;
}
