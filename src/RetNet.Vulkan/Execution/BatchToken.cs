namespace RetNet.Vulkan.Execution;

/// <summary>A token that a <see cref="RecurrentBatch"/> has sampled.</summary>
/// <param name="Sequence">Of which sequence.</param>
/// <param name="Token">The token; where it is one of the sequence's ends, the last.</param>
public readonly record struct BatchToken(BatchedSequence Sequence, int Token);
