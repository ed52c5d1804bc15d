namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>One normaliser after the other.</summary>
internal sealed class SequenceNormalizer(INormalizer[] normalizers) : INormalizer
{
    /// <inheritdoc/>
    public string Normalize(string text)
    {
        foreach (var normalizer in normalizers)
        {
            if (text.Length > 0)
                text = normalizer.Normalize(text);
        }

        return text;
    }
}
