namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/clip.comp, which says what each is.</summary>
internal struct ClipArguments
{
    public ulong Partials;
    public ulong Settings;
    public ulong Result;
    public uint Count;
}
