namespace RetNet.Vulkan.Execution;

/// <summary>A token that a <see cref="RecurrentBatch"/> has sampled.</summary>
/// <param name="Sequence">Of which sequence.</param>
/// <param name="Token">The token.</param>
/// <param name="IsLast">Whether the sequence has ended with it.</param>
public readonly record struct BatchToken(BatchedSequence Sequence, int Token, bool IsLast);
