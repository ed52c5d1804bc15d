using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>The kernels of a model: which variant, and the values of its specialization constants.</summary>
internal static class KernelFactory
{
    private const uint EmbeddingThreads = 256;

    public static Kernel<MatVecArguments> Product(
        GpuDevice device, RetNetConfig config, Tuning tuning, GgmlType type, int interleave, ProductInput input, ProductOutput output, (uint Rows, uint Tokens) tile, bool biased) => new(
        device, $"{(tile.Tokens == 1 ? tuning.MatVec : tuning.MatMul)}_{BlockType.Of(type).Name}", tuning.MatVecThreads, device.Capabilities.SubgroupSize, (uint)interleave, tile.Rows,
        (uint)input, (uint)output, (uint)config.Activation, (uint)config.Heads, (uint)config.ValueSize, tile.Tokens, Constant.Of(biased));

    public static Kernel<NormArguments> Norm(GpuDevice device, Tuning tuning, bool subtractMean) =>
        new(device, "norm", tuning.RowThreads, Constant.Of(subtractMean));

    public static Kernel<EmbeddingArguments> Embedding(GpuDevice device, GgmlType type, int interleave) =>
        new(device, $"embedding_{BlockType.Of(type).Name}", EmbeddingThreads, (uint)interleave);

    public static Kernel<EmbeddingRowsArguments> EmbeddingRows(GpuDevice device, Tuning tuning, GgmlType type, int interleave) =>
        new(device, $"embedding_rows_{BlockType.Of(type).Name}", tuning.RowThreads, (uint)interleave);

    /// <summary>One token of each sequence; <paramref name="leavesNorm"/> leaves head norm and gate to a dispatch of their own.</summary>
    public static Kernel<RetentionArguments> RecurrentRetention(GpuDevice device, RetNetConfig config, Tuning tuning, StateType state, bool leavesNorm) => new(
        device, tuning.Retention + Suffix(state), tuning.RetentionThreads, tuning.RetentionTileLanes, (uint)config.KeySize,
        Constant.Of(config.OutputGate && !leavesNorm), Constant.Of(config.RetentionEpsScaled), Constant.Of(!leavesNorm));

    public static Kernel<RotateArguments> Rotate(GpuDevice device, RetNetConfig config, Tuning tuning) =>
        new(device, "rotate", tuning.RowThreads, (uint)config.KeySize);

    public static Kernel<ChunkStatesArguments> ChunkStates(GpuDevice device, RetNetConfig config, Tuning tuning, StateType state) => new(
        device, "retention_chunk_states" + Lanes(tuning) + Suffix(state), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkKeyRows, (uint)config.KeySize, (uint)config.Heads, Group(config));

    public static Kernel<ChunkOutputsArguments> ChunkOutputs(GpuDevice device, RetNetConfig config, Tuning tuning, bool sumScores) => new(
        device, "retention_chunk_outputs" + Lanes(tuning), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkQueries, (uint)config.KeySize, (uint)config.Heads, Group(config), Constant.Of(sumScores));

    public static Kernel<HeadNormArguments> HeadNorm(GpuDevice device, RetNetConfig config, Tuning tuning, bool clamped) => new(
        device, "head_norm", tuning.RowThreads, (uint)config.Heads, Constant.Of(config.OutputGate), Constant.Of(config.RetentionEpsScaled),
        Constant.Of(clamped), Constant.Of(config.RetentionNormType == NormType.Layer));

    public static Kernel<SampleArguments> Sample(GpuDevice device, Tuning tuning) => new(device, "sample", tuning.SampleThreads, tuning.SampleLoads);

    /// <summary>What the names of kernels that hold a state end with.</summary>
    private static string Suffix(StateType state) => state == StateType.F16 ? "_f16" : "";

    private static string Lanes(Tuning tuning) => tuning.ChunkLanes ? "_lane" : "";

    private static uint Group(RetNetConfig config) => (uint)(config.Heads / config.KeyValueHeads);
}
