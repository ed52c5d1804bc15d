namespace RetNet.Vulkan.Training;

/// <summary>Which of its factors a product takes transposed (shaders/include/product.glsl); the value is the kernels' constant.</summary>
internal enum ProductForm
{
    /// <summary>C[m][n] = Σ_k A[m][k]·B[n][k]: Y = X·Wᵀ.</summary>
    Forward = 0,

    /// <summary>C[m][n] = Σ_k A[m][k]·B[k][n]: dX = dY·W.</summary>
    InputGradient = 1,

    /// <summary>C[m][n] = Σ_k A[k][m]·B[k][n]: dW = dYᵀ·X.</summary>
    WeightGradient = 2,
}
