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

    /// <summary>The part that options decide; addresses and sizes are the caller's.</summary>
    public static SampleArguments Of(SamplerOptions options) => new()
    {
        Temperature = options.Temperature,
        TopK = (uint)options.TopK,
        TopP = options.TopP,
        LogMinP = MathF.Log(options.MinP),
        RepeatPenalty = options.RepeatPenalty,
        RepeatWindow = (uint)options.RepeatWindow,
        SeedLow = (uint)options.Seed,
        SeedHigh = (uint)(options.Seed >> 32),
    };
}
