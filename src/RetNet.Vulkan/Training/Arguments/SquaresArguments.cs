namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/squares.comp, which says what each is.</summary>
internal struct SquaresArguments
{
    public ulong Values;
    public ulong Partials;
    public uint Count;
}
