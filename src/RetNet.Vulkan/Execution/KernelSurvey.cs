using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Compiles every kernel variant for a model's shape and reads what the driver made of it. Nothing runs, so a device will do
/// that only compiles: RADV with RADV_FORCE_FAMILY set and no card.
/// </summary>
public static class KernelSurvey
{
    private static readonly (ProductInput Input, ProductOutput Output, bool OneToken)[] Products =
    [
        (ProductInput.RmsNorm, ProductOutput.Store, true),
        (ProductInput.HeadNorm, ProductOutput.AddResidual, true),
        (ProductInput.RmsNorm, ProductOutput.GatedUnit, true),
        (ProductInput.Plain, ProductOutput.AddResidual, true),
        (ProductInput.Plain, ProductOutput.Store, false),
        (ProductInput.Plain, ProductOutput.GatedUnit, false),
        (ProductInput.Plain, ProductOutput.AddResidual, false),
    ];

    /// <summary>Compiles the variants with the constants of <paramref name="config"/>, one after the other.</summary>
    /// <param name="device">Opened for statistics.</param>
    /// <param name="config">The shape.</param>
    public static IEnumerable<SurveyedKernel> Run(GpuDevice device, RetNetConfig config)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(config);
        var chosen = Tuning.For(device.Capabilities);
        // What the device would be given if it were a processor: the variants that it is not given as it is.
        var other = Tuning.For(device.Capabilities with { Kind = device.Capabilities.Kind == DeviceKind.Cpu ? DeviceKind.Other : DeviceKind.Cpu });
        return Kernels(device, config, chosen).Concat(Kernels(device, config, other))
            .DistinctBy(kernel => (kernel.Variant, kernel.Use)).Select(kernel => Compile(device, kernel, kernel.Variant == chosen.Retention || !IsChoice(kernel.Variant) || IsProductOf(chosen, kernel.Variant)));
    }

    private static bool IsProductOf(Tuning tuning, string variant) =>
        variant.StartsWith(tuning.MatVec + '_', StringComparison.Ordinal) || variant.StartsWith(tuning.MatMul + '_', StringComparison.Ordinal);

    private static bool IsChoice(string variant) =>
        variant.StartsWith("matvec_", StringComparison.Ordinal) || variant.StartsWith("matmul_", StringComparison.Ordinal) || variant.StartsWith("retention_recurrent", StringComparison.Ordinal);

    private static IEnumerable<(string Variant, string Use, Func<Kernel> Build)> Kernels(GpuDevice device, RetNetConfig config, Tuning tuning)
    {
        var interleave = tuning.InterleavesRows ? (int)device.Capabilities.SubgroupSize : 1;
        foreach (var type in BlockType.All)
        {
            foreach (var (input, output, oneToken) in Products)
                yield return ($"{(oneToken ? tuning.MatVec : tuning.MatMul)}_{type.Name}", $"{input} in, {output} out, {(oneToken ? "1 token" : "many tokens")}", () =>
                    KernelFactory.Product(device, config, tuning, type.Type, interleave, input, output, tuning.Tile(output, oneToken ? 1 : SequenceOptions.DefaultPassLength), biased: false));
            yield return ($"embedding_{type.Name}", "1 token", () => KernelFactory.Embedding(device, type.Type, interleave));
            yield return ($"embedding_rows_{type.Name}", "many tokens", () => KernelFactory.EmbeddingRows(device, tuning, type.Type, interleave));
        }

        yield return ("norm", "RMSNorm", () => KernelFactory.Norm(device, tuning, subtractMean: false));
        yield return ("norm", "LayerNorm", () => KernelFactory.Norm(device, tuning, subtractMean: true));
        yield return ("head_norm", "many tokens", () => KernelFactory.HeadNorm(device, config, tuning, clamped: false));
        yield return ("rotate", "many tokens", () => KernelFactory.Rotate(device, config, tuning));
        foreach (var (state, suffix) in new[] { (StateType.F32, ""), (StateType.F16, "_f16") })
        {
            yield return ($"retention_chunk_states{(tuning.ChunkLanes ? "_lane" : "")}{suffix}", "many tokens", () => KernelFactory.ChunkStates(device, config, tuning, state));
            yield return (tuning.Retention + suffix, "1 token", () => KernelFactory.RecurrentRetention(device, config, tuning, state, leavesNorm: false));
            yield return (tuning.Retention + suffix, "1 token of each sequence", () => KernelFactory.RecurrentRetention(device, config, tuning, state, leavesNorm: true));
        }

        yield return ("retention_chunk_outputs" + (tuning.ChunkLanes ? "_lane" : ""), "many tokens", () => KernelFactory.ChunkOutputs(device, config, tuning, sumScores: false));
        yield return ("sample", "1 token", () => KernelFactory.Sample(device, tuning));
    }

    private static SurveyedKernel Compile(GpuDevice device, (string Variant, string Use, Func<Kernel> Build) entry, bool chosen)
    {
        if (ShaderNeed.Of(entry.Variant).FirstOrDefault(need => !need.IsMetBy(device.Capabilities)) is { } missing)
            return new(entry.Variant, entry.Use, chosen, [], $"the device has no {missing}");
        try
        {
            using var kernel = entry.Build();
            return new(entry.Variant, entry.Use, chosen, kernel.ReadStatistics(), null);
        }
        catch (VulkanCallException e)
        {
            return new(entry.Variant, entry.Use, chosen, [], e.Message);
        }
    }
}
