namespace RetNet.Vulkan.Execution;

/// <summary>A text that a <see cref="BatchTextGenerator"/> has finished.</summary>
/// <param name="Index">Which prompt it goes on from, counted from 0.</param>
/// <param name="Text">What follows the prompt.</param>
/// <param name="Reason">Why it ended.</param>
/// <param name="Tokens">Tokens generated, the one that ended it included.</param>
public sealed record BatchText(int Index, string Text, StopReason Reason, long Tokens);
