using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// Compiles every kernel variant for a model's shape and reads what the driver made of it. Nothing runs, so a device will do
/// that only compiles: RADV with RADV_FORCE_FAMILY set and no card.
/// </summary>
public static class KernelSurvey
{
    private const int AttentionHeadSize = 128;
    private const int ManyTokens = 4096;

    private static readonly (ProductInput Input, ProductOutput Output, int Tokens)[] Products =
    [
        (ProductInput.RmsNorm, ProductOutput.Store, 1),
        (ProductInput.HeadNorm, ProductOutput.AddResidual, 1),
        (ProductInput.RmsNorm, ProductOutput.GatedUnit, 1),
        (ProductInput.Plain, ProductOutput.AddResidual, 1),
        (ProductInput.RmsNorm, ProductOutput.Store, 8),
        (ProductInput.HeadNorm, ProductOutput.AddResidual, 8),
        (ProductInput.RmsNorm, ProductOutput.GatedUnit, 8),
        (ProductInput.Plain, ProductOutput.AddResidual, 4),
        (ProductInput.Plain, ProductOutput.Store, ManyTokens),
        (ProductInput.Plain, ProductOutput.GatedUnit, ManyTokens),
        (ProductInput.Plain, ProductOutput.AddResidual, ManyTokens),
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
            .DistinctBy(kernel => (kernel.Variant, kernel.Use)).Select(kernel => Compile(device, kernel, IsRetentionOf(chosen, kernel.Variant) || !IsChoice(kernel.Variant) || IsProductOf(chosen, kernel.Variant)));
    }

    private static bool IsRetentionOf(Tuning tuning, string variant) =>
        variant.Replace("_f16", "", StringComparison.Ordinal).Replace("_half", "", StringComparison.Ordinal) == tuning.Retention;

    private static bool IsProductOf(Tuning tuning, string variant) =>
        variant.StartsWith(tuning.MatVec + '_', StringComparison.Ordinal) || variant.StartsWith(tuning.MatMul + '_', StringComparison.Ordinal)
        || (tuning.FusesNorms(2) && (variant.StartsWith("matvec_tokens_", StringComparison.Ordinal) || variant.StartsWith("matvec_matrix_", StringComparison.Ordinal)));

    private static bool IsChoice(string variant) =>
        variant.StartsWith("matvec_", StringComparison.Ordinal) || variant.StartsWith("matmul_", StringComparison.Ordinal) || variant.StartsWith("retention_recurrent", StringComparison.Ordinal);

    private static IEnumerable<(string Variant, string Use, Func<Kernel> Build)> Kernels(GpuDevice device, RetNetConfig config, Tuning tuning)
    {
        var interleave = tuning.InterleavesRows ? (int)device.Capabilities.SubgroupSize : 1;
        foreach (var type in BlockType.All)
        {
            foreach (var (input, output, tokens) in Products.Where(product => product.Tokens is 1 or ManyTokens || tuning.FusesNorms(product.Tokens)))
            {
                var tile = tuning.ProductTile(device.Capabilities, Matrix(config, type.Type, interleave, output), output, tokens);
                yield return ($"{tile.Kernel}_{type.Name}", $"{input} in, {output} out, {tokens switch { 1 => "1 token", ManyTokens => "many tokens", _ => $"{tokens} tokens" }}", () =>
                    KernelFactory.Product(device, config, new(type.Type, interleave, input, output, Biased: false, tile), tile.Chains));
            }
            foreach (var kernel in ProductsOfMany(device, type, interleave))
                yield return kernel;
            if (type.Type != GgmlType.F16)
                yield return ($"unpack_{type.Name}", "many tokens", () => KernelFactory.Unpack(device, tuning, type.Type));
            yield return ($"embedding_{type.Name}", "1 token", () => KernelFactory.Embedding(device, type.Type, interleave));
            yield return ($"embedding_rows_{type.Name}", "many tokens", () => KernelFactory.EmbeddingRows(device, tuning, type.Type, interleave));
        }

        yield return ("round", "many tokens", () => KernelFactory.Round(device, tuning));
        yield return ("norm_f16", "RMSNorm", () => KernelFactory.Norm(device, tuning, subtractMean: false, halfOutput: true));
        yield return ("head_norm_f16", "many tokens", () => KernelFactory.HeadNorm(device, config, tuning, clamped: false, halfOutput: true));
        yield return ("norm", "RMSNorm", () => KernelFactory.Norm(device, tuning, subtractMean: false));
        yield return ("norm", "LayerNorm", () => KernelFactory.Norm(device, tuning, subtractMean: true));
        yield return ("head_norm", "many tokens", () => KernelFactory.HeadNorm(device, config, tuning, clamped: false));
        yield return ("rotate", "many tokens", () => KernelFactory.Rotate(device, config, tuning));
        yield return ("rotate_f16", "many tokens", () => KernelFactory.Rotate(device, config, tuning, halves: true));
        foreach (var (state, suffix) in new[] { (StateType.F32, ""), (StateType.F16, "_f16") })
        {
            if (ShaderLibrary.Has($"retention_matrix_states{suffix}"))
                yield return ($"retention_matrix_states{suffix}", "many tokens", () => KernelFactory.MatrixStates(device, config, state));
            yield return ($"retention_chunk_states{(tuning.ChunkLanes ? "_lane" : "")}{suffix}", "many tokens", () => KernelFactory.ChunkStates(device, config, tuning, state));
            yield return (tuning.Retention + suffix, "1 token", () => KernelFactory.RecurrentRetention(device, config, tuning, state, sequences: 1, leavesNorm: false, chained: tuning.Chain(1) != ChainScope.None));
            yield return (tuning.Retention + suffix, "1 token of each sequence", () => KernelFactory.RecurrentRetention(device, config, tuning, state, sequences: 16, leavesNorm: true, chained: false));
            if (ShaderLibrary.Has($"{tuning.Retention}{suffix}_half"))
                yield return ($"{tuning.Retention}{suffix}_half", "1 token of each sequence", () => KernelFactory.RecurrentRetention(device, config, tuning, state, sequences: 16, leavesNorm: false, chained: true, halfOutput: true));
        }

        if (ShaderLibrary.Has("retention_matrix_outputs"))
        {
            yield return ("retention_matrix_scores", "many tokens", () => KernelFactory.MatrixScores(device, config, SequenceOptions.MatrixChunkLength));
            yield return ("retention_matrix_outputs", "many tokens", () => KernelFactory.MatrixOutputs(device, config, SequenceOptions.MatrixChunkLength));
        }

        yield return ("retention_chunk_outputs" + (tuning.ChunkLanes ? "_lane" : ""), "many tokens", () => KernelFactory.ChunkOutputs(device, config, tuning, sumScores: false));
        yield return ("attention", "1 token of a Transformer", () => KernelFactory.Attention(device, AttentionTuning.For(device.Capabilities), AttentionHeadSize));
        yield return ("attention_combine", "1 token of a Transformer", () => KernelFactory.AttentionCombine(device, AttentionTuning.For(device.Capabilities), AttentionHeadSize));
        yield return ("sample", "1 token", () => KernelFactory.Sample(device, tuning));
        foreach (var kernel in LayerKernels.All(device, config, tuning).Concat(TrainingKernels.All(device)).Where(kernel => ShaderLibrary.Has(kernel.Variant)))
            yield return kernel;
    }

    /// <summary>A matrix of the shape that has such an output, without memory.</summary>
    private static DeviceMatrix Matrix(RetNetConfig config, GgmlType type, int interleave, ProductOutput output) => output switch
    {
        ProductOutput.Store => new(type, 2 * (config.QueryWidth + config.OutputWidth), config.Width, interleave, 0, 0),
        ProductOutput.GatedUnit => new(type, 2 * config.FeedForwardSize, config.Width, interleave, 0, 0),
        _ => new(type, config.Width, config.OutputWidth, interleave, 0, 0),
    };
    /// <summary>The largest tile that the device can run, the one for few tokens, and a gated unit's.</summary>
    private static IEnumerable<(string Variant, string Use, Func<Kernel> Build)> ProductsOfMany(GpuDevice device, BlockType type, int interleave)
    {
        (MatMulKind Kind, string Name)[] families = [(MatMulKind.Tile, "tile"), (MatMulKind.SubgroupMatrix, "coopmat"), (MatMulKind.WorkgroupMatrix, "coopmat2")];
        foreach (var (kind, family) in families.Where(family => ShaderLibrary.Has($"matmul_{family.Name}_{type.Name}")))
            foreach (var (output, tokens) in new[] { (ProductOutput.Store, 4096u), (ProductOutput.GatedUnit, 4096u), (ProductOutput.AddResidual, 16u) })
            {
                var half = kind != MatMulKind.Tile && output != ProductOutput.AddResidual;
                var task = new MatMulTask { Matrix = new DeviceMatrix(type.Type, 4096, 2048, interleave, 0, 0), X = 0, XStride = 2048, Y = 0, YStride = 4096, Tokens = (int)tokens, Output = output, HalfOutput = half };
                // Behind retention of several sequences, and before an RMSNorm.
                if (kind == MatMulKind.SubgroupMatrix && output == ProductOutput.AddResidual)
                    task = task with { HeadNormedInput = (0, 8, 8, 256), OutputNorm = (0, 0) };
                var use = MatMulPlan.Candidates(device.Capabilities, kind, task.Halves).Any() ? MatMulPlan.Choose(device.Capabilities, kind, task.Halves, tokens, task.Rows, 2048) : default(MatMulPlan?);
                yield return ($"matmul_{family}_{type.Name}", use is { } plan ? $"{output} out, {plan.TileTokens} × {plan.TileRows} × {plan.Depth}" : $"{output} out", () => KernelFactory.MatMul(device, use!.Value, task));
            }
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
