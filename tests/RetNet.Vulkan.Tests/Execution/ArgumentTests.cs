using System.Reflection;
using System.Runtime.InteropServices;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Tests.Execution;

public sealed class ArgumentTests
{
    public static TheoryData<string> Variants => [.. ShaderLibrary.Variants];

    [Theory]
    [MemberData(nameof(Variants))]
    public void StructsMirrorTheShadersBlocks(string variant)
    {
        var type = ArgumentsOf(variant);
        var mirrored = type.GetFields(BindingFlags.Instance | BindingFlags.Public)
            .Select(field => ((uint)Marshal.OffsetOf(type, field.Name), field.FieldType));

        Assert.Equal(SpirvArguments.Read(ShaderLibrary.Load(variant)), mirrored);
        Assert.InRange(Marshal.SizeOf(type), 1, GpuDevice.ArgumentBytes);
    }

    private static Type ArgumentsOf(string variant) => variant switch
    {
        _ when variant.StartsWith("matvec_", StringComparison.Ordinal) || variant.StartsWith("matmul_lane_", StringComparison.Ordinal) => typeof(MatVecArguments),
        "embedding_gradient" => typeof(EmbeddingGradientArguments),
        _ when variant.StartsWith("embedding_rows_", StringComparison.Ordinal) => typeof(EmbeddingRowsArguments),
        _ when variant.StartsWith("embedding_", StringComparison.Ordinal) => typeof(EmbeddingArguments),
        _ when variant.StartsWith("retention_recurrent", StringComparison.Ordinal) => typeof(RetentionArguments),
        "retention_chunk_states" or "retention_chunk_states_f16" or "retention_chunk_states_lane" or "retention_chunk_states_lane_f16" => typeof(ChunkStatesArguments),
        "retention_matrix_states" or "retention_matrix_states_f16" => typeof(MatrixStatesArguments),
        "retention_matrix_scores" => typeof(MatrixScoresArguments),
        "retention_matrix_outputs" => typeof(MatrixOutputsArguments),
        "retention_chunk_outputs" or "retention_chunk_outputs_lane" => typeof(ChunkOutputsArguments),
        "rotate" or "rotate_f16" => typeof(RotateArguments),
        _ when variant.StartsWith("unpack_", StringComparison.Ordinal) => typeof(UnpackArguments),
        "product_sum" => typeof(ProductSumArguments),
        _ when variant.StartsWith("matmul_lane_", StringComparison.Ordinal) => typeof(MatVecArguments),
        _ when variant.StartsWith("matmul_", StringComparison.Ordinal) => typeof(MatMulArguments),
        "round" => typeof(RoundArguments),
        "norm" or "norm_f16" => typeof(NormArguments),
        "head_norm" or "head_norm_f16" => typeof(HeadNormArguments),
        "norm_backward" => typeof(NormBackwardArguments),
        "norm_weight" => typeof(NormWeightArguments),
        "column_sum" => typeof(ColumnSumArguments),
        "head_norm_backward" => typeof(HeadNormBackwardArguments),
        "unit" => typeof(UnitArguments),
        "unit_backward" => typeof(UnitBackwardArguments),
        "head_sum" => typeof(HeadSumArguments),
        "attention" => typeof(AttentionArguments),
        "attention_combine" => typeof(AttentionCombineArguments),
        _ when variant.StartsWith("product_", StringComparison.Ordinal) => typeof(ProductArguments),
        "cross_entropy" => typeof(CrossEntropyArguments),
        "squares" => typeof(SquaresArguments),
        "clip" => typeof(ClipArguments),
        "adamw" => typeof(AdamWArguments),
        "sgd" => typeof(SgdArguments),
        "chain_probe" => typeof(ChainProbeArguments),
        "sample" => typeof(SampleArguments),
        "copy" => typeof(CopyArguments),
        "random_words" => typeof(RandomWordsArguments),
        _ => throw new InvalidOperationException($"no argument struct is known for '{variant}'"),
    };
}
