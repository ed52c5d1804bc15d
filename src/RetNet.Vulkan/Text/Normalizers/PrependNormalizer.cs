namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Puts a string before the text; SentencePiece's "dummy prefix" is <c>▁</c>.</summary>
internal sealed class PrependNormalizer(string prefix) : INormalizer
{
    /// <inheritdoc/>
    public string Normalize(string text) => prefix + text;
}
