using System.Text;

namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Makes each character lower case by itself, as Rust's <c>char::to_lowercase</c>.</summary>
internal sealed class LowercaseNormalizer : INormalizer
{
    /// <inheritdoc/>
    public string Normalize(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // İ, the only character whose lower case is two.
            if (rune.Value == 0x130)
                result.Append("i\u0307");
            else
                result.Append(Rune.ToLowerInvariant(rune).ToString());
        }

        return result.ToString();
    }
}
