namespace RetNet.Vulkan.Training;

/// <summary>The kernels of training products (shaders/training/product_*.comp).</summary>
internal enum ProductKernel
{
    /// <summary><c>product_tile</c>: f32 on any device.</summary>
    Tile,

    /// <summary><c>product_lane</c>: f32 on processors.</summary>
    Lane,

    /// <summary><c>product_coopmat</c>: f16 factors, f32 sums on matrix units.</summary>
    Matrix,
}
