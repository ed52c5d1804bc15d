namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Rewrites text before it is cut into words. Immutable.</summary>
internal interface INormalizer
{
    /// <summary>The normalised form of well-formed UTF-16 text that is not empty; it may become empty.</summary>
    /// <exception cref="TokenizerException">The result would be out of all proportion to the text.</exception>
    string Normalize(string text);
}
