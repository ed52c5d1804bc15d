namespace RetNet.Vulkan.Execution;

/// <summary>Tokens of one sequence that a pass takes in.</summary>
/// <param name="Slot">The sequence, by its place in the <see cref="RetentionState"/>.</param>
/// <param name="Position">Tokens that the sequence has taken in before.</param>
/// <param name="Tokens">The tokens.</param>
internal readonly record struct Segment(int Slot, long Position, ReadOnlyMemory<int> Tokens);
