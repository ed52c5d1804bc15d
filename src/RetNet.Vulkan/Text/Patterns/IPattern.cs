namespace RetNet.Vulkan.Text.Patterns;

/// <summary>Something that is looked for in text. Immutable.</summary>
internal interface IPattern
{
    /// <summary>Where it matches, from left to right, not overlapping.</summary>
    /// <exception cref="TokenizerException">Matching takes too long.</exception>
    IEnumerable<TextRange> Matches(string text);
}
