using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>How a <see cref="SequenceBatch"/> takes in tokens.</summary>
public sealed record SequenceOptions
{
    /// <summary>Tokens a chunk has by default: flash-linear-attention's.</summary>
    public const int DefaultChunkLength = 64;

    /// <summary>Tokens of a chunk that matrix units are fastest with.</summary>
    public const int MatrixChunkLength = 128;

    /// <summary>Tokens a pass has by default.</summary>
    public const int DefaultPassLength = 512;

    /// <summary>Tokens of a pass that fill a GPU.</summary>
    private const int LongPassLength = 2048;

    /// <summary>Tokens of a chunk; null takes whatever is fed at once as one chunk, which is the parallel form.</summary>
    public int? ChunkLength { get; init; } = DefaultChunkLength;

    /// <summary>Tokens of a pass at most, over all sequences; what is fed beyond it takes further passes. Memory is taken for as many.</summary>
    public int PassLength { get; init; } = DefaultPassLength;

    /// <summary>
    /// Reproduces the abs-sum clamp of torchscale's parallel form (<c>multiscale_retention.py</c>, <c>parallel_forward</c>).
    /// It depends on the whole past, so only sequences fed at once from their first token have it; the parallel form only.
    /// </summary>
    public bool TorchscaleClamp { get; init; }

    /// <summary>How the device keeps the states.</summary>
    public StateType StateType { get; init; }

    /// <summary>What the inputs of matrix products are rounded to.</summary>
    public ProductPrecision Precision { get; init; }

    /// <summary>
    /// How prompts are taken in whose logits nobody sees: on matrix units where a device has them, but of f32 weights, which
    /// somebody wanted to be exact; and many tokens a pass where they are multiplied faster.
    /// </summary>
    /// <param name="capabilities">The device.</param>
    /// <param name="weights">Type of the matrices.</param>
    /// <param name="stateType">How the device keeps the states.</param>
    public static SequenceOptions ForPrompts(DeviceCapabilities capabilities, GgmlType weights, StateType stateType = StateType.F32)
    {
        if (capabilities.Kind == DeviceKind.Cpu)
            return new() { StateType = stateType };
        var half = weights != GgmlType.F32 && MatMulPlan.KindFor(capabilities, ProductPrecision.F16) is not null;
        return new()
        {
            StateType = stateType,
            PassLength = LongPassLength,
            Precision = half ? ProductPrecision.F16 : ProductPrecision.F32,
            ChunkLength = half ? MatrixChunkLength : DefaultChunkLength,
        };
    }

    /// <summary>The kernel of matrix products; null chooses.</summary>
    internal MatMulKind? Products { get; init; }

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="ArgumentException">One line that names the option and its range.</exception>
    public void Validate()
    {
        if (ChunkLength < 1)
            throw new ArgumentException($"a chunk has at least 1 token; {ChunkLength} were asked for");
        if (PassLength is < 1 or > ushort.MaxValue)
            throw new ArgumentException($"a pass has 1 to {ushort.MaxValue} tokens; {PassLength} were asked for");
        if (TorchscaleClamp && ChunkLength is not null)
            throw new ArgumentException("torchscale's clamp is reproduced in the parallel form only");
    }
}
