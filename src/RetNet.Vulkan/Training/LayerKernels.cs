using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>The kernels of layers in training: which variant, and the values of its specialization constants.</summary>
internal static class LayerKernels
{
    /// <summary>Threads of the kernels with a thread a column.</summary>
    public static uint ColumnThreads(Tuning tuning) => Math.Min(tuning.RowThreads, 64);

    public static Kernel<ChunkStatesArguments> ChunkStates(GpuDevice device, Tuning tuning, RetentionRole role) => new(
        device, "retention_chunk_states" + Lanes(tuning), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkKeyRows,
        (uint)role.KeySize, (uint)role.Heads, (uint)role.Group, Constant.Of(false), Constant.Of(role.Reverse));

    public static Kernel<ChunkOutputsArguments> ChunkOutputs(GpuDevice device, Tuning tuning, RetentionRole role) => new(
        device, "retention_chunk_outputs" + Lanes(tuning), tuning.ChunkThreads, tuning.ChunkTileVectors, tuning.ChunkQueries,
        (uint)role.KeySize, (uint)role.Heads, (uint)role.Group, Constant.Of(role.SumScores), (uint)role.QueryGroup, Constant.Of(role.Chunked), Constant.Of(role.Reverse));

    public static Kernel<RotateArguments> RotateBack(GpuDevice device, RetNetConfig config, Tuning tuning) => new(device, "rotate", tuning.RowThreads, (uint)config.KeySize, Constant.Of(true));

    public static Kernel<HeadSumArguments> HeadSum(GpuDevice device, RetNetConfig config, Tuning tuning) => new(device, "head_sum", tuning.RowThreads, (uint)(config.Heads / config.KeyValueHeads));

    public static Kernel<HeadNormBackwardArguments> HeadNormBackward(GpuDevice device, RetNetConfig config, Tuning tuning, bool clamped, bool weighted) => new(
        device, "head_norm_backward", tuning.RowThreads, (uint)config.Heads, Constant.Of(config.OutputGate), Constant.Of(config.RetentionEpsScaled), Constant.Of(clamped),
        Constant.Of(config.RetentionNormType == NormType.Layer), Constant.Of(weighted));

    public static Kernel<NormBackwardArguments> NormBackward(GpuDevice device, Tuning tuning, bool subtractMean, bool accumulate) =>
        new(device, "norm_backward", tuning.RowThreads, Constant.Of(subtractMean), Constant.Of(accumulate));

    public static Kernel<NormWeightArguments> NormWeight(GpuDevice device, Tuning tuning) => new(device, "norm_weight", ColumnThreads(tuning));

    public static Kernel<ColumnSumArguments> ColumnSum(GpuDevice device, Tuning tuning, bool accumulate) => new(device, "column_sum", ColumnThreads(tuning), Constant.Of(accumulate));

    public static Kernel<UnitArguments> Unit(GpuDevice device, RetNetConfig config, Tuning tuning) =>
        new(device, "unit", tuning.RowThreads, (uint)config.Activation, Constant.Of(config.GatedFeedForward));

    public static Kernel<UnitBackwardArguments> UnitBackward(GpuDevice device, RetNetConfig config, Tuning tuning) =>
        new(device, "unit_backward", tuning.RowThreads, (uint)config.Activation, Constant.Of(config.GatedFeedForward));

    /// <summary>Every kernel of a model's layers with an example of its constants, for the survey of what a driver makes of them.</summary>
    public static IEnumerable<(string Variant, string Use, Func<Kernel> Build)> All(GpuDevice device, RetNetConfig config, Tuning tuning)
    {
        var backwards = new RetentionRole(config.Heads, config.ValueSize, config.KeySize, 1, 1, Reverse: true, Chunked: true);
        yield return ("retention_chunk_states" + Lanes(tuning), "keys' gradient", () => ChunkStates(device, tuning, backwards));
        yield return ("retention_chunk_outputs" + Lanes(tuning), "keys' gradient", () => ChunkOutputs(device, tuning, backwards));
        yield return ("rotate", "gradient", () => RotateBack(device, config, tuning));
        yield return ("head_sum", "", () => HeadSum(device, config, tuning));
        yield return ("head_norm_backward", "", () => HeadNormBackward(device, config, tuning, clamped: false, weighted: false));
        yield return ("norm_backward", "RMSNorm", () => NormBackward(device, tuning, subtractMean: false, accumulate: true));
        yield return ("norm_backward", "LayerNorm", () => NormBackward(device, tuning, subtractMean: true, accumulate: true));
        yield return ("norm_weight", "", () => NormWeight(device, tuning));
        yield return ("column_sum", "", () => ColumnSum(device, tuning, accumulate: true));
        yield return ("unit", "", () => Unit(device, config, tuning));
        yield return ("unit_backward", "", () => UnitBackward(device, config, tuning));
    }

    private static string Lanes(Tuning tuning) => tuning.ChunkLanes ? "_lane" : "";
}
