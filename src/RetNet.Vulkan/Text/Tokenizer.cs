using System.Text;
using RetNet.Vulkan.Text.Decoders;
using RetNet.Vulkan.Text.Json;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Text to token ids and back, as Hugging Face <c>tokenizers</c> does it for byte-pair encodings: added tokens are
/// cut out of the text, the rest is normalised, cut into words and encoded word by word.
/// </summary>
/// <remarks>
/// Built from a <c>tokenizer.json</c>. Its <c>truncation</c> and <c>padding</c> play no part: nothing is cut off, nothing
/// filled up. Immutable, hence safe for concurrent use.
/// </remarks>
public sealed class Tokenizer
{
    private const int LongestRememberedWord = 64;

    private readonly TokenizerComponents _components;
    private readonly AddedTokenSplitter _addedTokens;
    private readonly AddedTokenSplitter _normalizedAddedTokens;
    private readonly Dictionary<string, int> _ids;
    private readonly string[] _tokens;
    private readonly HashSet<int> _special;

    /// <summary>Puts a tokenizer together.</summary>
    /// <param name="tokens">All tokens, in the order of their ids.</param>
    /// <param name="addedTokens">Those of them that are cut out of the text.</param>
    /// <param name="components">What the rest of the text goes through.</param>
    internal Tokenizer(string[] tokens, IReadOnlyCollection<AddedToken> addedTokens, TokenizerComponents components)
    {
        _tokens = tokens;
        _components = components;
        _ids = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
            _ids.Add(tokens[id], id);
        _addedTokens = new AddedTokenSplitter([.. addedTokens.Where(token => !token.Normalized)]);
        // They are found in normalised text by their own normalised content.
        _normalizedAddedTokens = new AddedTokenSplitter(
        [
            .. addedTokens.Where(token => token.Normalized)
                .Select(token => token with { Content = components.Normalizer.Normalize(token.Content) })
                .Where(token => token.Content.Length > 0),
        ]);
        _special = [.. addedTokens.Where(token => token.Special).Select(token => token.Id)];
    }

    /// <summary>Number of tokens, added tokens included; ids run from 0 to one less.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Reads the text of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="TokenizerException">The file is malformed or needs a component that is not supported.</exception>
    public static Tokenizer Parse(string json) => Parse(Encoding.UTF8.GetBytes(json));

    /// <summary>Reads the UTF-8 bytes of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="TokenizerException">The file is malformed or needs a component that is not supported.</exception>
    public static Tokenizer Parse(ReadOnlyMemory<byte> utf8Json) => TokenizerJson.Read(utf8Json);

    /// <summary>The id of a token by its spelling in the vocabulary, or null.</summary>
    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The spelling of a token in the vocabulary, or null when no token has this id.</summary>
    public string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>Whether the id is that of a special token, such as <c>&lt;|endoftext|&gt;</c>.</summary>
    public bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>How tokens become text.</summary>
    internal IDecoder Decoder => _components.Decoder;

    /// <summary>Ids that <c>post_processor</c> puts before every text, usually the token that begins one.</summary>
    public IReadOnlyList<int> Prefix => _components.Template.Before;

    /// <summary>
    /// The ids of a text. Added tokens in it, special ones too, become their ids. Lone surrogates count as U+FFFD.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether the ids that <c>post_processor</c> puts around a text are put around it.</param>
    /// <exception cref="TokenizerException">
    /// The tokenizer is hostile: its regular expressions or normalisers are out of all proportion to the text.
    /// </exception>
    public int[] Encode(string text, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        var words = new Dictionary<string, int[]>(StringComparer.Ordinal);
        var starts = true;
        foreach (var piece in _addedTokens.Split(WellFormed(text)))
        {
            if (piece.Token is { } token)
                ids.Add(token.Id);
            else
                EncodeUnnormalized(new TextPiece(piece.Text, starts), words, ids);
            starts = false;
        }

        return addSpecialTokens ? [.. _components.Template.Before, .. ids, .. _components.Template.After] : [.. ids];
    }

    /// <summary>
    /// The text of the ids. Bytes that are not UTF-8 become U+FFFD; ids that no token has, as a padded output layer may
    /// give, have no text.
    /// </summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public string Decode(IEnumerable<int> ids, bool skipSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var decoder = new StreamingDecoder(this, skipSpecial);
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(decoder.Append(id));
        return text.Append(decoder.Flush()).ToString();
    }

    private void EncodeUnnormalized(TextPiece piece, Dictionary<string, int[]> words, List<int> ids)
    {
        var starts = piece.Starts;
        foreach (var part in _normalizedAddedTokens.Split(_components.Normalizer.Normalize(piece.Text)))
        {
            if (part.Token is { } token)
            {
                ids.Add(token.Id);
            }
            else
            {
                foreach (var word in _components.PreTokenizer.Split(new TextPiece(part.Text, starts)))
                    EncodeWord(word.Text, words, ids);
            }

            starts = false;
        }
    }

    /// <summary>Words come again and again, so those of this text are remembered; long ones rarely do.</summary>
    private void EncodeWord(string word, Dictionary<string, int[]> words, List<int> ids)
    {
        if (words.TryGetValue(word, out var known))
        {
            ids.AddRange(known);
            return;
        }

        var start = ids.Count;
        _components.Model.Encode(word, ids);
        if (word.Length <= LongestRememberedWord)
            words.Add(word, [.. ids[start..]]);
    }

    /// <summary>The text with U+FFFD for each lone surrogate, which is what the encoder makes of it.</summary>
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
