namespace RetNet.Vulkan.Execution.Arguments;

/// <summary>Arguments of shaders/sampling/sample.comp, which says what each is.</summary>
internal struct SampleArguments
{
    public ulong Logits;
    public ulong Tokens;
    public ulong Position;
    public uint Vocabulary;
    public uint LogMask;
    public float Temperature;
    public uint TopK;
    public float TopP;
    public float LogMinP;
    public float RepeatPenalty;
    public uint RepeatWindow;
    public uint SeedLow;
    public uint SeedHigh;
}
