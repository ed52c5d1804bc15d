namespace RetNet.Vulkan.Execution;

/// <summary>The forms of retention (arXiv 2307.08621, §2.1): the same function, computed differently.</summary>
public enum ComputationMode
{
    /// <summary>A whole sequence at once (equation 5): work T² a head, no state between tokens.</summary>
    Parallel,

    /// <summary>Chunk by chunk (equation 7): parallel inside a chunk, a state between chunks.</summary>
    Chunkwise,

    /// <summary>Token by token (equation 6).</summary>
    Recurrent,
}
