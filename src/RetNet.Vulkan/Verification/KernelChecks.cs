using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;

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
            _ when WeightType(variant, "matvec_stream_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "matvec_tokens_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "matvec_matrix_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "matmul_tile_") is { } type => new MatMulCheck(variant, type, MatMulKind.Tile),
            _ when WeightType(variant, "matmul_coopmat_") is { } type => new MatMulCheck(variant, type, MatMulKind.SubgroupMatrix),
            _ when WeightType(variant, "matmul_coopmat2_") is { } type => new MatMulCheck(variant, type, MatMulKind.WorkgroupMatrix),
            _ when WeightType(variant, "unpack_") is { } type => new UnpackCheck(variant, type),
            "product_sum" => new ProductSumCheck(variant),
            _ when WeightType(variant, "matmul_lane_") is { } type => new ProductCheck(variant, type),
            _ when WeightType(variant, "embedding_rows_") is { } type => new EmbeddingRowsCheck(variant, type),
            _ when WeightType(variant, "embedding_") is { } type => new EmbeddingCheck(variant, type),
            "round" => new RoundCheck(variant),
            "norm" or "norm_f16" => new NormCheck(variant),
            "head_norm" or "head_norm_f16" => new HeadNormCheck(variant),
            "rotate" or "rotate_f16" => new RotationCheck(variant),
            "retention_recurrent" or "retention_recurrent_f16" or "retention_recurrent_half" or "retention_recurrent_f16_half" or "retention_recurrent_lane" or "retention_recurrent_lane_f16" => new RecurrentRetentionCheck(variant),
            "retention_chunk_states" or "retention_chunk_states_f16" or "retention_chunk_states_lane" or "retention_chunk_states_lane_f16" => new ChunkStatesCheck(variant),
            "retention_matrix_states" or "retention_matrix_states_f16" => new MatrixStatesCheck(variant),
            "retention_matrix_scores" => new MatrixScoresCheck(variant),
            "retention_matrix_outputs" => new MatrixOutputsCheck(variant),
            "retention_chunk_outputs" or "retention_chunk_outputs_lane" => new ChunkOutputsCheck(variant),
            "norm_backward" => new NormBackwardCheck(variant),
            "norm_weight" => new NormWeightCheck(variant),
            "column_sum" => new ColumnSumCheck(variant),
            "head_norm_backward" => new HeadNormBackwardCheck(variant),
            "unit" => new UnitCheck(variant),
            "unit_backward" => new UnitBackwardCheck(variant),
            "head_sum" => new HeadSumCheck(variant),
            "attention" => new AttentionCheck(variant),
            "attention_combine" => new AttentionCombineCheck(variant),
            "product_tile" => new TrainingProductCheck(variant, ProductKernel.Tile),
            "product_lane" => new TrainingProductCheck(variant, ProductKernel.Lane),
            "product_coopmat" => new TrainingProductCheck(variant, ProductKernel.Matrix),
            "cross_entropy" => new CrossEntropyCheck(variant),
            "embedding_gradient" => new EmbeddingGradientCheck(variant),
            "squares" => new SquaresCheck(variant),
            "clip" => new ClipCheck(variant),
            "adamw" or "sgd" => new UpdateCheck(variant),
            "chain_probe" => new ChainProbeCheck(variant),
            "sample" => new SamplingCheck(variant),
            "copy" => new CopyCheck(variant),
            "random_words" => new RandomWordsCheck(variant),
            _ => throw new ArgumentException($"there is no check for the kernel '{variant}'", nameof(variant)),
        };
    }

    private static BlockType? WeightType(string variant, string family) =>
        variant.StartsWith(family, StringComparison.Ordinal) ? BlockType.Find(variant[family.Length..]) : null;
}
