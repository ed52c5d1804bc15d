namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/adamw.comp, which says what each is.</summary>
internal struct AdamWArguments
{
    public ulong Weights;
    public ulong Gradients;
    public ulong First;
    public ulong Second;
    public ulong Settings;
    public ulong Factor;
    public uint Count;
    public float MeanShare;
    public float SquareKeep;
    public float SquareShare;
    public float Eps;
}
