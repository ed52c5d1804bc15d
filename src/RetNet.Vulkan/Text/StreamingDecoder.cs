using RetNet.Vulkan.Text.Decoders;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Decodes one token after another, for printing while generating: each call returns the text that no later
/// token can change. A character whose bytes several tokens share is held back until it is complete.
/// </summary>
/// <remarks>All pieces together equal <see cref="Tokenizer.Decode"/> of all ids. Not safe for concurrent use.</remarks>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly TextSink _text = new();
    private ITokenSink _tokens;
    private int _heldContext;

    /// <summary>Starts a text.</summary>
    /// <param name="tokenizer">The tokenizer that the ids belong to.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public StreamingDecoder(Tokenizer tokenizer, bool skipSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _tokens = tokenizer.Decoder.Start(_text);
    }

    /// <summary>Goes on with a text: what is appended is decoded as it is after other tokens, which are not given again.</summary>
    /// <param name="tokenizer">The tokenizer that the ids belong to.</param>
    /// <param name="context">The tokens before, such as a prompt's. After them a word keeps the space that it would lose where a text begins.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public StreamingDecoder(Tokenizer tokenizer, IReadOnlyCollection<int> context, bool skipSpecial = false)
        : this(tokenizer, skipSpecial)
    {
        var given = 0;
        foreach (var id in context)
            given += Append(id).Length;
        _heldContext = tokenizer.Decode(context, skipSpecial).Length - given;
    }

    /// <summary>Takes the next token and returns the text that has become certain; possibly empty.</summary>
    public string Append(int id)
    {
        if (_tokenizer.TokenOf(id) is { } token && !(_skipSpecial && _tokenizer.IsSpecial(id)))
            _tokens.Append(TokenPart.Whole(token));
        return Take();
    }

    /// <summary>Ends the text: an incomplete character becomes U+FFFD. The decoder is then as new, without context.</summary>
    public string Flush()
    {
        _tokens.End();
        var text = Take();
        _tokens = _tokenizer.Decoder.Start(_text);
        _heldContext = 0;
        return text;
    }

    /// <summary>What has come, without what the context still held back when it ended.</summary>
    private string Take()
    {
        var text = _text.Take();
        var skipped = Math.Clamp(_heldContext, 0, text.Length);
        _heldContext -= skipped;
        return text[skipped..];
    }
}
