namespace RetNet.Vulkan.Execution;

/// <summary>What a product does to its input as it reads it: INPUT of shaders/include/matvec.glsl.</summary>
internal enum ProductInput : uint
{
    Plain,
    RmsNorm,
    HeadNorm,
}
