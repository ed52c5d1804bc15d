namespace RetNet.Vulkan.Execution;

/// <summary>What becomes of a product: OUTPUT of shaders/include/matvec.glsl.</summary>
internal enum ProductOutput : uint
{
    Store,
    AddResidual,
    GatedUnit,
    Activate,
}
