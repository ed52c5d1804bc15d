namespace RetNet.Vulkan.Tests.Text;

internal sealed record TokenizerCase(string Text, int[] Ids, string Decoded);
