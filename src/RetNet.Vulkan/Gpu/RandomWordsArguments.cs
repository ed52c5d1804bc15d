namespace RetNet.Vulkan.Gpu;

/// <summary>Arguments of shaders/memory/random_words.comp, which says what each is.</summary>
internal struct RandomWordsArguments
{
    public ulong Words;
    public uint Count;
    public uint RowParts;
    public uint RowHalves;
    public uint PartWords;
    public uint Interleave;
    public uint Mask;
    public uint Pattern;
    public uint Seed;
}
