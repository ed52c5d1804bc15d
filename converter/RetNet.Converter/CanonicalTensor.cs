using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>A canonical tensor and where its values come from.</summary>
/// <param name="Shape">Name and dimensions in the model file.</param>
/// <param name="Source">The checkpoint's tensor with the same elements in the same order.</param>
public sealed record CanonicalTensor(TensorShape Shape, CheckpointTensor Source)
{
    /// <summary>Elements in a row.</summary>
    public int RowLength => checked((int)Shape.Dimensions[0]);

    /// <summary>Rows; 1 of a vector.</summary>
    public long Rows => Shape.IsMatrix ? Shape.Dimensions[1] : 1;
}
