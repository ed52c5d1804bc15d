namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>What becomes of a delimiter that text is split at.</summary>
internal enum SplitBehavior
{
    /// <summary>It is a word of its own.</summary>
    Isolated,

    /// <summary>It is dropped.</summary>
    Removed,

    /// <summary>Neighbouring delimiters are one word.</summary>
    Contiguous,

    /// <summary>It ends the word before it.</summary>
    MergedWithPrevious,

    /// <summary>It begins the word after it.</summary>
    MergedWithNext,
}
