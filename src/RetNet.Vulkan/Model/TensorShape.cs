namespace RetNet.Vulkan.Model;

/// <summary>A tensor that a canonical model has or may have.</summary>
/// <param name="Name">Its full name in GGUF.</param>
/// <param name="Dimensions">ggml's order: [row length] of a vector or [row length, rows] of a matrix.</param>
/// <param name="Required">Whether a model without it is incomplete.</param>
public sealed record TensorShape(string Name, IReadOnlyList<long> Dimensions, bool Required)
{
    /// <summary>Whether it is a matrix, which is stored in the file's weight type; vectors stay f32.</summary>
    public bool IsMatrix => Dimensions.Count > 1;
}
