namespace RetNet.Vulkan.Training.Arguments;

/// <summary>Arguments of shaders/training/sgd.comp, which says what each is.</summary>
internal struct SgdArguments
{
    public ulong Weights;
    public ulong Gradients;
    public ulong First;
    public ulong Settings;
    public ulong Factor;
    public uint Count;
    public float Momentum;
    public float Decay;
}
