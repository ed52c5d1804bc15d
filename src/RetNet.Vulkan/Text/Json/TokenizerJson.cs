using System.Text.Json;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads Hugging Face's <c>tokenizer.json</c> and refuses what the library has no component for.</summary>
internal static class TokenizerJson
{
    /// <summary>Reads the whole file; every failure is a <see cref="TokenizerException"/>.</summary>
    public static Tokenizer Read(ReadOnlyMemory<byte> utf8Json)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8Json);
            return Read(new JsonPart(document.RootElement, ""));
        }
        catch (JsonException error)
        {
            // Its own message may quote the whole rest of the file.
            throw new TokenizerException($"tokenizer.json: not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}", error);
        }
        catch (InvalidOperationException error)
        {
            // JsonElement's answer to strings that escape half of a surrogate pair; kinds are checked everywhere.
            throw new TokenizerException("tokenizer.json: a string in it is not valid Unicode", error);
        }
    }

    private static Tokenizer Read(JsonPart root)
    {
        // What is cheap and tells most comes first: a tokenizer of another kind is refused for that.
        var model = root.Member("model");
        ModelJson.Check(model);
        var normalizer = NormalizerJson.Read(root);
        var preTokenizer = PreTokenizerJson.Read(root);
        var decoder = DecoderJson.Read(root);
        var ids = ModelJson.ReadVocabulary(model);
        var addedTokens = ReadAddedTokens(root);
        var tokens = TokensById(ids, addedTokens);
        return new Tokenizer(tokens, addedTokens, new TokenizerComponents
        {
            Normalizer = normalizer,
            PreTokenizer = preTokenizer,
            Model = ModelJson.Read(model, ids),
            Decoder = decoder,
            Template = TemplateJson.Read(root, tokens.Length),
        });
    }

    private static List<AddedToken> ReadAddedTokens(JsonPart root) =>
        root.Optional("added_tokens") is { } list ? [.. list.Items().Select(ReadAddedToken)] : [];

    private static AddedToken ReadAddedToken(JsonPart token)
    {
        var content = token.Member("content").Text();
        if (content.Length == 0)
            throw token.Malformed("has an empty \"content\"");

        var special = token.Flag("special");
        return new AddedToken
        {
            Id = ModelJson.ReadId(token.Member("id").Element, content),
            Content = content,
            SingleWord = token.Flag("single_word"),
            LeftStrip = token.Flag("lstrip"),
            RightStrip = token.Flag("rstrip"),
            Normalized = token.Flag("normalized", absent: !special),
            Special = special,
        };
    }

    /// <summary>
    /// All tokens in the order of their ids, which must be 0 … n−1 for n tokens: an id beyond them would leave a
    /// gap, and what is allocated here stays in proportion to the file.
    /// </summary>
    private static string[] TokensById(Dictionary<string, int> ids, List<AddedToken> addedTokens)
    {
        var all = new Dictionary<string, int>(ids, StringComparer.Ordinal);
        var added = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in addedTokens)
        {
            if (!added.Add(token.Content))
                throw Malformed($"added_tokens has token {JsonPart.Quote(token.Content)} twice");
            if (!all.TryAdd(token.Content, token.Id) && all[token.Content] != token.Id)
                throw Malformed($"token {JsonPart.Quote(token.Content)} has id {all[token.Content]} in model.vocab and {token.Id} in added_tokens");
        }

        var tokens = new string?[all.Count];
        foreach (var (token, id) in all)
        {
            if (id >= tokens.Length)
                throw Malformed($"id {id} of token {JsonPart.Quote(token)} leaves a gap: the {tokens.Length} tokens must have ids 0 to {tokens.Length - 1}");
            if (tokens[id] is { } other)
                throw Malformed($"tokens {JsonPart.Quote(other)} and {JsonPart.Quote(token)} have the same id {id}");
            tokens[id] = token;
        }

        return tokens!;
    }

    private static TokenizerException Malformed(string what) => new($"tokenizer.json: {what}");
}
