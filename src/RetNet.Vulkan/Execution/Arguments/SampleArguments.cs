namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/sampling/sample.comp, which says what each is.</summary>
internal struct SampleArguments
{
    public ulong Logits;
    public ulong Tokens;
    public ulong Positions;
    public ulong StepsLeft;
    public ulong Samplers;
    public uint Vocabulary;
    public uint LogMask;
}
