using System.Text;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Decodes one token after another, for printing while generating: each call returns the text that no later
/// token can change. A character whose bytes several tokens share is held back until it is complete.
/// </summary>
/// <param name="tokenizer">The tokenizer that the ids belong to.</param>
/// <param name="skipSpecial">Whether special tokens are left out.</param>
/// <remarks>All pieces together equal <see cref="Tokenizer.Decode"/> of all ids. Not safe for concurrent use.</remarks>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecial = false)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    /// <summary>Takes the next token and returns the text that has become certain; possibly empty.</summary>
    public string Append(int id) =>
        skipSpecial && tokenizer.IsSpecial(id) ? "" : Convert(tokenizer.BytesOf(id), flush: false);

    /// <summary>Ends the text: an incomplete character becomes U+FFFD. The decoder is then as new.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = new char[_utf8.GetCharCount(bytes, flush)];
        var count = _utf8.GetChars(bytes, chars, flush);
        return new string(chars, 0, count);
    }
}
