using System.Reflection;
using System.Runtime.InteropServices;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

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
        _ when variant.StartsWith("embedding_rows_", StringComparison.Ordinal) => typeof(EmbeddingRowsArguments),
        _ when variant.StartsWith("embedding_", StringComparison.Ordinal) => typeof(EmbeddingArguments),
        _ when variant.StartsWith("retention_recurrent", StringComparison.Ordinal) => typeof(RetentionArguments),
        "retention_chunk_states" or "retention_chunk_states_f16" or "retention_chunk_states_lane" or "retention_chunk_states_lane_f16" => typeof(ChunkStatesArguments),
        "retention_chunk_outputs" or "retention_chunk_outputs_lane" => typeof(ChunkOutputsArguments),
        "rotate" => typeof(RotateArguments),
        "norm" => typeof(NormArguments),
        "head_norm" => typeof(HeadNormArguments),
        "sample" => typeof(SampleArguments),
        "copy" => typeof(CopyArguments),
        "random_words" => typeof(RandomWordsArguments),
        _ => throw new InvalidOperationException($"no argument struct is known for '{variant}'"),
    };
}
