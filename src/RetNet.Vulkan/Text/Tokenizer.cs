using System.Text;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Text to token ids and back, as Hugging Face <c>tokenizers</c> does it for byte-level BPE: added tokens are
/// cut out of the text, the rest goes through the pre-tokenizer and the BPE model word by word.
/// </summary>
/// <remarks>
/// Built from a <c>tokenizer.json</c>. Its <c>post_processor</c>, <c>truncation</c> and <c>padding</c> play no part:
/// nothing is added to the text's own ids and nothing is cut off. Immutable, hence safe for concurrent use.
/// </remarks>
public sealed class Tokenizer
{
    private readonly AddedTokenSplitter _addedTokens;
    private readonly AddedTokenSplitter _normalizedAddedTokens;
    private readonly ByteLevelPreTokenizer _preTokenizer;
    private readonly BytePairModel _model;
    private readonly Dictionary<string, int> _ids;
    private readonly string[] _tokens;
    private readonly byte[][] _bytes;
    private readonly HashSet<int> _special;

    internal Tokenizer(
        string[] tokens, IReadOnlyCollection<AddedToken> addedTokens, ByteLevelPreTokenizer preTokenizer, BytePairModel model)
    {
        _tokens = tokens;
        _bytes = Array.ConvertAll(tokens, ByteLevelAlphabet.BytesOf);
        _ids = new Dictionary<string, int>(tokens.Length, StringComparer.Ordinal);
        for (var id = 0; id < tokens.Length; id++)
            _ids.Add(tokens[id], id);
        _addedTokens = new AddedTokenSplitter([.. addedTokens.Where(token => !token.Normalized)]);
        _normalizedAddedTokens = new AddedTokenSplitter([.. addedTokens.Where(token => token.Normalized)]);
        _special = [.. addedTokens.Where(token => token.Special).Select(token => token.Id)];
        _preTokenizer = preTokenizer;
        _model = model;
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

    /// <summary>
    /// The ids of a text. Added tokens in it, special ones too, become their ids; none are put around it.
    /// Lone surrogates count as U+FFFD.
    /// </summary>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        foreach (var piece in _addedTokens.Split(WellFormed(text)))
        {
            if (piece.Token is { } token)
                ids.Add(token.Id);
            else
                EncodeNormalized(piece.Text, ids);
        }

        return [.. ids];
    }

    /// <summary>
    /// The text of the ids. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a sequence;
    /// ids that no token has, as a padded output layer may give, have no text.
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

    /// <summary>The bytes of a token; empty when no token has this id.</summary>
    internal ReadOnlySpan<byte> BytesOf(int id) => (uint)id < (uint)_bytes.Length ? _bytes[id] : [];

    private void EncodeNormalized(string text, List<int> ids)
    {
        foreach (var piece in _normalizedAddedTokens.Split(text))
        {
            if (piece.Token is { } token)
            {
                ids.Add(token.Id);
                continue;
            }

            foreach (var word in _preTokenizer.Words(piece.Text))
                _model.Encode(word, ids);
        }
    }

    /// <summary>The text with U+FFFD for each lone surrogate, which is what the encoder makes of it.</summary>
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
