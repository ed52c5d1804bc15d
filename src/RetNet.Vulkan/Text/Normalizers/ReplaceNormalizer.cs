using System.Text;
using RetNet.Vulkan.Text.Patterns;

namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Replaces every match of a pattern by the same string.</summary>
internal sealed class ReplaceNormalizer(IPattern pattern, string content) : INormalizer
{
    // Replacements one after the other can double the text again and again.
    private const int LongestText = 1 << 28;

    /// <inheritdoc/>
    public string Normalize(string text)
    {
        var result = new StringBuilder(text.Length);
        var done = 0;
        foreach (var match in pattern.Matches(text))
        {
            result.Append(text, done, match.Start - done).Append(content);
            done = match.End;
            if (result.Length > LongestText)
                throw new TokenizerException($"tokenizer.json: its normalizer makes more than {LongestText} characters of a text of {text.Length}");
        }

        return done == 0 && result.Length == 0 ? text : result.Append(text, done, text.Length - done).ToString();
    }
}
