using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>Checks of tokens before a device reads the embedding with them.</summary>
internal static class Vocabulary
{
    /// <exception cref="ArgumentException">A token is outside the vocabulary.</exception>
    public static void RequireKnown(ReadOnlySpan<int> tokens, RetNetConfig config)
    {
        foreach (var token in tokens)
            if ((uint)token >= (uint)config.VocabularySize)
                throw new ArgumentException($"token {token} is outside the vocabulary of {config.VocabularySize}");
    }
}
