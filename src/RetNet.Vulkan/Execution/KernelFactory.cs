using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>The kernels of a model: which variant, and the values of its specialization constants.</summary>
internal static class KernelFactory
{
    private const uint EmbeddingThreads = 256;

    public static Kernel<MatVecArguments> Product(GpuDevice device, RetNetConfig config, ProductKey key, bool chained) =>
        Product(device, $"{key.Tile.Kernel}_{BlockType.Of(key.Type).Name}", key, config.Activation, config.Heads, config.ValueSize, chained);

    public static Kernel<MatVecArguments> Product(GpuDevice device, string variant, ProductKey key, Activation activation, int heads, int headSize, bool chained)
    {
        var (_, interleave, input, output, biased, tile) = key;
        ReadOnlySpan<uint> shared =
        [
            tile.Threads, device.Capabilities.SubgroupSize, (uint)interleave, tile.Rows, (uint)input, (uint)output,
            (uint)activation, (uint)heads, (uint)headSize, tile.Tokens, Constant.Of(biased), tile.Runs, tile.Held, Constant.Of(chained),
        ];
        if (tile.Depth == 0)
            return new(device, variant, [.. shared, tile.Staged, tile.Parts]);
        var shape = MatMulPlan.RequiredShape(device);
        return new(device, variant, WholeSubgroups(device.Capabilities), [.. shared, tile.Depth, tile.Parts, shape.M, shape.N, shape.K]);
    }

    public static Kernel<MatMulArguments> MatMul(GpuDevice device, MatMulPlan plan, in MatMulTask task)
    {
        var capabilities = device.Capabilities;
        var type = BlockType.Of(task.Matrix.Type).Name;
        ReadOnlySpan<uint> shared =
        [
            plan.Threads, (uint)task.Matrix.Interleave, plan.TileTokens, plan.HalfRows(task.Halves), plan.Depth, (uint)task.Output, (uint)task.Activation,
            Constant.Of(task.Matrix.Bias != 0), Constant.Of(task.HalfOutput), Constant.Of(plan.Parts > 1 || task.OutputNorm is not null), plan.Band,
        ];
        switch (plan.Kind)
        {
            case MatMulKind.Tile:
                return new(device, $"matmul_tile_{type}", [.. shared, plan.TileTokens * plan.HalfRows(task.Halves) / plan.Threads / MatMulPlan.ThreadRows, MatMulPlan.ThreadRows]);
            case MatMulKind.WorkgroupMatrix:
                return new(device, $"matmul_coopmat2_{type}", [.. shared, plan.Unroll]);
            default:
                var shape = MatMulPlan.RequiredShape(device);
                return new(device, $"matmul_coopmat_{type}", WholeSubgroups(capabilities), [.. shared, capabilities.SubgroupSize, plan.WavesTokens(capabilities, shape), shape.M, shape.N, shape.K,
                    Constant.Of(task.NormedInput is not null), Constant.Of(task.OutputNorm is not null), (uint)(task.HeadNormedInput?.Heads ?? 0), (uint)(task.HeadNormedInput?.HeadSize ?? 1), Constant.Of(task.Chained)]);
        }
    }

    public static Kernel<UnpackArguments> Unpack(GpuDevice device, Tuning tuning, GgmlType type) => new(device, $"unpack_{BlockType.Of(type).Name}", tuning.RowThreads);

    public static Kernel<NormArguments> Norm(GpuDevice device, Tuning tuning, bool subtractMean, bool halfOutput = false) =>
        new(device, "norm" + Suffix(halfOutput), tuning.RowThreads, Constant.Of(subtractMean));

    public static Kernel<RoundArguments> Round(GpuDevice device, Tuning tuning) => new(device, "round", tuning.RowThreads);

    public static Kernel<EmbeddingArguments> Embedding(GpuDevice device, GgmlType type, int interleave) =>
        new(device, $"embedding_{BlockType.Of(type).Name}", EmbeddingThreads, (uint)interleave);

    public static Kernel<EmbeddingRowsArguments> EmbeddingRows(GpuDevice device, Tuning tuning, GgmlType type, int interleave) =>
        new(device, $"embedding_rows_{BlockType.Of(type).Name}", tuning.RowThreads, (uint)interleave);

    /// <summary>
    /// One token of each sequence; <paramref name="leavesNorm"/> leaves head norm and gate to a dispatch of their own, else <paramref name="halfOutput"/> makes what the product takes f16.
    /// </summary>
    public static Kernel<RetentionArguments> RecurrentRetention(GpuDevice device, RetNetConfig config, Tuning tuning, StateType state, int sequences, bool leavesNorm, bool chained, bool halfOutput = false) => new(
        device, tuning.Retention + Suffix(state) + (halfOutput ? "_half" : ""), tuning.RetentionThreads, tuning.RetentionLanes(sequences), (uint)config.KeySize,
        Constant.Of(config.OutputGate && !leavesNorm), Constant.Of(config.RetentionEpsScaled), Constant.Of(!leavesNorm), Constant.Of(chained));

    public static Kernel<RotateArguments> Rotate(GpuDevice device, RetNetConfig config, Tuning tuning, bool halves = false) =>
        new(device, "rotate" + Suffix(halves), tuning.RowThreads, (uint)config.KeySize);

    public static Kernel<MatrixStatesArguments> MatrixStates(GpuDevice device, RetNetConfig config, StateType state) =>
        MatrixRetention<MatrixStatesArguments>(device, config, "retention_matrix_states" + Suffix(state), MatrixTile.States(device.Capabilities));

    public static Kernel<MatrixScoresArguments> MatrixScores(GpuDevice device, RetNetConfig config, int chunkLength) =>
        MatrixRetention<MatrixScoresArguments>(device, config, "retention_matrix_scores", MatrixTile.Scores(device.Capabilities, chunkLength));

    public static Kernel<MatrixOutputsArguments> MatrixOutputs(GpuDevice device, RetNetConfig config, int chunkLength) =>
        MatrixRetention<MatrixOutputsArguments>(device, config, "retention_matrix_outputs", MatrixTile.Outputs(device.Capabilities, chunkLength));

    public static Kernel<ChunkStatesArguments> ChunkStates(GpuDevice device, RetNetConfig config, Tuning tuning, StateType state) => new(
        device, "retention_chunk_states" + Lanes(tuning) + Suffix(state), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkKeyRows, (uint)config.KeySize, (uint)config.Heads, Group(config));

    public static Kernel<ChunkOutputsArguments> ChunkOutputs(GpuDevice device, RetNetConfig config, Tuning tuning, bool sumScores) => new(
        device, "retention_chunk_outputs" + Lanes(tuning), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkQueries, (uint)config.KeySize, (uint)config.Heads, Group(config), Constant.Of(sumScores));

    public static Kernel<HeadNormArguments> HeadNorm(GpuDevice device, RetNetConfig config, Tuning tuning, bool clamped, bool halfOutput = false, bool halfGate = false) => new(
        device, "head_norm" + Suffix(halfOutput), tuning.RowThreads, (uint)config.Heads, Constant.Of(config.OutputGate), Constant.Of(config.RetentionEpsScaled),
        Constant.Of(clamped), Constant.Of(config.RetentionNormType == NormType.Layer), Constant.Of(halfGate));

    /// <summary>What a Transformer has in the place of retention, to measure it against (docs/benchmarks.md).</summary>
    public static Kernel<AttentionArguments> Attention(GpuDevice device, AttentionTuning tuning, int headSize) => new(device, "attention", tuning.Threads, (uint)headSize);

    public static Kernel<AttentionCombineArguments> AttentionCombine(GpuDevice device, AttentionTuning tuning, int headSize) =>
        new(device, "attention_combine", tuning.Threads, (uint)headSize);

    public static Kernel<SampleArguments> Sample(GpuDevice device, Tuning tuning) => new(device, "sample", tuning.SampleThreads, tuning.SampleLoads);

    /// <summary>What the names of kernels that hold a state end with.</summary>
    private static string Suffix(StateType state) => Suffix(state == StateType.F16);

    /// <summary>What the names of kernels that write f16 end with.</summary>
    private static string Suffix(bool half) => half ? "_f16" : "";

    private static Kernel<TArguments> MatrixRetention<TArguments>(GpuDevice device, RetNetConfig config, string variant, MatrixTile tile)
        where TArguments : unmanaged
    {
        var capabilities = device.Capabilities;
        var shape = MatMulPlan.RequiredShape(device);
        return new(device, variant, WholeSubgroups(capabilities),
            tile.Subgroups * capabilities.SubgroupSize, capabilities.SubgroupSize, shape.M, shape.N, shape.K,
            tile.M, tile.N, tile.Depth, tile.WavesM, (uint)config.KeySize, (uint)config.Heads, Group(config));
    }

    /// <summary>Matrices belong to subgroups of a size that kernels have to know.</summary>
    public static RequiredSubgroupSize? WholeSubgroups(DeviceCapabilities capabilities) =>
        capabilities.SubgroupSizeControl is null ? null : new(capabilities.SubgroupSize);

    private static string Lanes(Tuning tuning) => tuning.ChunkLanes ? "_lane" : "";

    private static uint Group(RetNetConfig config) => (uint)(config.Heads / config.KeyValueHeads);
}
