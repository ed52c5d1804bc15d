namespace RetNet.Vulkan.Execution;

/// <summary>How a <see cref="SequenceEvaluator"/> computes.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The form of retention.</summary>
    public ComputationMode Mode { get; init; } = ComputationMode.Chunkwise;

    /// <summary>Tokens of a chunk; the chunkwise form's.</summary>
    public int ChunkLength { get; init; } = SequenceOptions.DefaultChunkLength;

    /// <summary>Reproduces torchscale's abs-sum clamp; the parallel form's (<see cref="SequenceOptions.TorchscaleClamp"/>).</summary>
    public bool TorchscaleClamp { get; init; }

    /// <summary>How the device keeps the state.</summary>
    public StateType StateType { get; init; }

    /// <summary>Refuses values that do not fit together.</summary>
    /// <exception cref="ArgumentException">One line that says what does not fit.</exception>
    public void Validate()
    {
        if (TorchscaleClamp && Mode != ComputationMode.Parallel)
            throw new ArgumentException("torchscale's clamp is reproduced in the parallel form only; it needs the whole past of a token at once");
        Sequence(1).Validate();
    }

    /// <summary>The options of a batch for sequences of up to <paramref name="longest"/> tokens.</summary>
    internal SequenceOptions Sequence(int longest) => Mode == ComputationMode.Parallel
        ? new SequenceOptions { ChunkLength = null, PassLength = Math.Max(longest, 1), TorchscaleClamp = TorchscaleClamp, StateType = StateType }
        : new SequenceOptions { ChunkLength = ChunkLength, PassLength = Math.Max(SequenceOptions.DefaultPassLength, ChunkLength), StateType = StateType };
}
