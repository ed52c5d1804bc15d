using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>Names of the two factors of a matrix' low-rank adapter, y += s · (x Aᵀ) Bᵀ, as llama.cpp's convert_lora_to_gguf.py has them.</summary>
public static class AdapterNames
{
    /// <summary>A, [inputs, rank].</summary>
    /// <param name="matrix">The matrix without <c>.weight</c> (<see cref="TensorNames"/>).</param>
    public static string A(string matrix) => TensorNames.Weight(matrix) + ".lora_a";

    /// <summary>B, [rank, outputs].</summary>
    /// <param name="matrix">The matrix without <c>.weight</c>.</param>
    public static string B(string matrix) => TensorNames.Weight(matrix) + ".lora_b";

    /// <summary>Whether it is the name of an A.</summary>
    internal static bool IsA(string name) => name.EndsWith(".lora_a", StringComparison.Ordinal);
}
