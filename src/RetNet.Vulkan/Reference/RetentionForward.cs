namespace RetNet.Vulkan.Reference;

/// <summary>Retention over the tokens of one head.</summary>
/// <param name="head">Queries, keys and values.</param>
/// <param name="state">[dk, dv]: the state before the tokens, replaced by the state after them.</param>
/// <param name="output">[T, dv]: un-normalised retention; all zeros on entry.</param>
internal delegate void RetentionForward(in RetentionHead head, Span<double> state, Span<double> output);
