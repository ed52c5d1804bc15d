namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/cross_entropy.comp, which says what each is.</summary>
internal struct CrossEntropyArguments
{
    public ulong Logits;
    public ulong Targets;
    public ulong Losses;
    public ulong Scale;
    public uint Columns;
    public uint Stride;
}
