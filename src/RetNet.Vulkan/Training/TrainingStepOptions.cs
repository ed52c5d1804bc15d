using RetNet.Vulkan.Execution;

namespace RetNet.Vulkan.Training;

/// <summary>What a <see cref="TrainingStep"/> takes at once, and how.</summary>
public sealed record TrainingStepOptions
{
    /// <summary>Sequences, B; each begins with an empty state.</summary>
    public required int Sequences { get; init; }

    /// <summary>Tokens of each, T.</summary>
    public required int Length { get; init; }

    /// <summary>Tokens of a chunk of retention; null makes a sequence one chunk, which is the parallel form. The results are the same to rounding.</summary>
    public int? ChunkLength { get; init; } = SequenceOptions.DefaultChunkLength;

    /// <summary>Reproduces the abs-sum clamp of torchscale's parallel form, a constant in its backward pass; the parallel form only.</summary>
    public bool TorchscaleClamp { get; init; }

    /// <summary>What the factors of products are rounded to; all else is f32.</summary>
    public ProductPrecision Precision { get; init; }

    /// <summary>
    /// Whether only the input of each layer is kept for its gradients and the layer's forward pass runs again; null does that where the rest does not fit
    /// the device. The gradients are the same to the bit.
    /// </summary>
    public bool? Recompute { get; init; }

    /// <summary>Factor of adapters, α/r, where the parameters have some (<see cref="AdapterNames"/>).</summary>
    public double AdapterScale { get; init; } = 1;

    /// <summary>Tokens of all sequences.</summary>
    internal int Rows => Sequences * Length;

    /// <summary>Tokens of a chunk, none longer than a sequence.</summary>
    internal int LengthOfChunks => Math.Min(ChunkLength ?? Length, Length);

    /// <summary>Chunks of all sequences.</summary>
    internal int Chunks => Sequences * ((Length + LengthOfChunks - 1) / LengthOfChunks);

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="ArgumentException">One line that names the option and its range.</exception>
    public void Validate()
    {
        if (Sequences < 1 || Length < 1 || (long)Sequences * Length > MostRows)
            throw new ArgumentException($"a training step takes 1 to {MostRows} tokens in all; {Sequences} sequences of {Length} were asked for");
        if (ChunkLength < 1)
            throw new ArgumentException($"a chunk has at least 1 token; {ChunkLength} were asked for");
        if (TorchscaleClamp && ChunkLength is not null)
            throw new ArgumentException("torchscale's clamp is reproduced in the parallel form only");
    }

    /// <summary>Beyond it a kernel's 32-bit index into a wide row array would not do.</summary>
    private const int MostRows = 1 << 17;
}
