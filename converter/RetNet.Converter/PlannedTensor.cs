using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>A canonical tensor with the type it will be written in, and why when that is not the type asked for.</summary>
internal sealed record PlannedTensor(CanonicalTensor Tensor, BlockType Type, string? Reason)
{
    /// <summary>
    /// Vectors are f32, as norms are small and multiply everything. A row that is no whole number of blocks stays f16.
    /// A file of 4-bit blocks keeps the embedding and the output at q8_0.
    /// </summary>
    public static PlannedTensor Plan(CanonicalTensor tensor, BlockType asked)
    {
        if (!tensor.Shape.IsMatrix)
            return new(tensor, BlockType.Of(GgmlType.F32), null);
        if (tensor.RowLength % asked.Length != 0)
            return new(tensor, BlockType.Of(GgmlType.F16), $"rows of {tensor.RowLength} are no whole number of {asked} blocks of {asked.Length}");
        if (asked.Type is GgmlType.Q4_0 or GgmlType.IQ4_NL && IsVocabulary(tensor.Shape.Name))
            return new(tensor, BlockType.Of(GgmlType.Q8_0), "errors of the vocabulary's matrix reach the logits directly");
        return new(tensor, asked, null);
    }

    private static bool IsVocabulary(string name) =>
        name == TensorNames.Weight(TensorNames.TokenEmbedding) || name == TensorNames.Weight(TensorNames.Output);
}
