using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>A check of every kernel variant that this build has.</summary>
public static class KernelChecks
{
    /// <summary>All of them, in the order of their names.</summary>
    public static IReadOnlyList<KernelCheck> All { get; } = [.. ShaderLibrary.Variants.Select(Of)];

    /// <summary>The check of a variant.</summary>
    /// <exception cref="ArgumentException">No check is known for it.</exception>
    public static KernelCheck Of(string variant)
    {
        ArgumentNullException.ThrowIfNull(variant);
        return variant switch
        {
            _ when WeightType(variant, "matvec_subgroup_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "matvec_lane_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "matmul_lane_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "embedding_rows_") is { } type => new EmbeddingRowsCheck(variant, type),
            _ when WeightType(variant, "embedding_") is { } type => new EmbeddingCheck(variant, type),
            "norm" => new NormCheck(variant),
            "head_norm" => new HeadNormCheck(variant),
            "rotate" => new RotationCheck(variant),
            "retention_recurrent" or "retention_recurrent_f16" or "retention_recurrent_lane" or "retention_recurrent_lane_f16" => new RecurrentRetentionCheck(variant),
            "retention_chunk_states" or "retention_chunk_states_f16" or "retention_chunk_states_lane" or "retention_chunk_states_lane_f16" => new ChunkStatesCheck(variant),
            "retention_chunk_outputs" or "retention_chunk_outputs_lane" => new ChunkOutputsCheck(variant),
            "sample" => new SamplingCheck(variant),
            "copy" => new CopyCheck(variant),
            "random_words" => new RandomWordsCheck(variant),
            _ => throw new ArgumentException($"there is no check for the kernel '{variant}'", nameof(variant)),
        };
    }

    private static BlockType? WeightType(string variant, string family) =>
        variant.StartsWith(family, StringComparison.Ordinal) ? BlockType.Find(variant[family.Length..]) : null;
}
