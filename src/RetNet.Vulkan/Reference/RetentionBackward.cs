namespace RetNet.Vulkan.Reference;

/// <summary>The way back of retention over the tokens of one head.</summary>
/// <param name="head">Queries, keys and values.</param>
/// <param name="state">[dk, dv]: the state before the tokens.</param>
/// <param name="stateGradient">[dk, dv]: the gradient of the state after the tokens, replaced by that of the state before them.</param>
/// <param name="gradient">The gradient of the output, and those of queries, keys and values, which are added to.</param>
internal delegate void RetentionBackward(in RetentionHead head, ReadOnlySpan<double> state, Span<double> stateGradient, in RetentionHeadGradient gradient);
