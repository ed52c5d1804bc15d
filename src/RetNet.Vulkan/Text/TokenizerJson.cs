using System.Text.Encodings.Web;
using System.Text.Json;

namespace RetNet.Vulkan.Text;

/// <summary>Reads Hugging Face's <c>tokenizer.json</c> and refuses what the pipeline has no component for.</summary>
internal static class TokenizerJson
{
    private const int QuotedLength = 40;

    /// <summary>Reads the whole file; every failure is a <see cref="TokenizerException"/>.</summary>
    public static Tokenizer Read(ReadOnlyMemory<byte> utf8Json)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8Json);
            return Read(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new TokenizerException($"tokenizer.json: not valid JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // JsonElement's answer to strings that escape half of a surrogate pair; kinds are checked below.
            throw new TokenizerException("tokenizer.json: a string in it is not valid Unicode", error);
        }
    }

    private static Tokenizer Read(JsonElement root)
    {
        Require(root, JsonValueKind.Object, "the document");
        RefuseNormalizer(root);
        var preTokenizer = ReadPreTokenizer(root);
        RequireByteLevel(root, "decoder");

        if (Optional(root, "model") is not { } model)
            throw Malformed("there is no model");
        Require(model, JsonValueKind.Object, "model");
        CheckModel(model);
        var ids = ReadVocabulary(model);
        var addedTokens = ReadAddedTokens(root);
        var tokens = TokensById(ids, addedTokens);
        return new Tokenizer(tokens, addedTokens, preTokenizer, ReadModel(model, ids));
    }

    private static void RefuseNormalizer(JsonElement root)
    {
        if (Optional(root, "normalizer") is { } normalizer)
            throw Unsupported("normalizer", TypeOf(normalizer, "normalizer"), "none");
    }

    private static ByteLevelPreTokenizer ReadPreTokenizer(JsonElement root)
    {
        var preTokenizer = RequireByteLevel(root, "pre_tokenizer");
        return new ByteLevelPreTokenizer(
            Flag(preTokenizer, "add_prefix_space", "pre_tokenizer"),
            Flag(preTokenizer, "use_regex", "pre_tokenizer", absent: true));
    }

    private static JsonElement RequireByteLevel(JsonElement root, string component)
    {
        if (Optional(root, component) is not { } element)
            throw Unsupported(component, "null", "ByteLevel");
        var type = TypeOf(element, component);
        return type == "ByteLevel" ? element : throw Unsupported(component, type, "ByteLevel");
    }

    /// <summary>A model without a type is BPE of before types were written.</summary>
    private static void CheckModel(JsonElement model)
    {
        if (Optional(model, "type") is not null && TypeOf(model, "model") is var type && type != "BPE")
            throw Unsupported("model", type, "BPE");
        if (Flag(model, "byte_fallback", "model"))
            throw Unsupported("model", "BPE with byte_fallback", "BPE without it");
        if (Optional(model, "dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            throw Unsupported("model", "BPE with dropout", "BPE without it");
        foreach (var affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (Optional(model, affix) is { } value && Text(value, $"model.{affix}").Length > 0)
                throw Unsupported("model", $"BPE with {affix}", "BPE without it");
        }
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement model)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in Member(model, "vocab", JsonValueKind.Object, "model").EnumerateObject())
        {
            var token = entry.Name;
            if (!ids.TryAdd(token, Id(entry.Value, token)))
                throw Malformed($"model.vocab has token {Quote(token)} twice");
        }

        return ids;
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement root)
    {
        if (Optional(root, "added_tokens") is not { } list)
            return [];

        Require(list, JsonValueKind.Array, "added_tokens");
        return [.. list.EnumerateArray().Select(ReadAddedToken)];
    }

    private static AddedToken ReadAddedToken(JsonElement element)
    {
        const string Where = "added_tokens";
        Require(element, JsonValueKind.Object, Where);
        var content = Text(Member(element, "content", JsonValueKind.String, Where), Where);
        if (content.Length == 0)
            throw Malformed("added_tokens has a token without content");

        var special = Flag(element, "special", Where);
        return new AddedToken
        {
            Id = Id(Member(element, "id", JsonValueKind.Number, Where), content),
            Content = content,
            SingleWord = Flag(element, "single_word", Where),
            LeftStrip = Flag(element, "lstrip", Where),
            RightStrip = Flag(element, "rstrip", Where),
            Normalized = Flag(element, "normalized", Where, absent: !special),
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
                throw Malformed($"added_tokens has token {Quote(token.Content)} twice");
            if (!all.TryAdd(token.Content, token.Id) && all[token.Content] != token.Id)
                throw Malformed($"token {Quote(token.Content)} has id {all[token.Content]} in model.vocab and {token.Id} in added_tokens");
        }

        var tokens = new string?[all.Count];
        foreach (var (token, id) in all)
        {
            if (id >= tokens.Length)
                throw Malformed($"id {id} of token {Quote(token)} leaves a gap: the {tokens.Length} tokens must have ids 0 to {tokens.Length - 1}");
            if (tokens[id] is { } other)
                throw Malformed($"tokens {Quote(other)} and {Quote(token)} have the same id {id}");
            tokens[id] = token;
        }

        return tokens!;
    }

    private static BytePairModel ReadModel(JsonElement model, Dictionary<string, int> ids)
    {
        int? unknownId = null;
        if (Optional(model, "unk_token") is { } unknown)
            unknownId = IdIn(ids, Text(unknown, "model.unk_token"), "model.unk_token");

        return new BytePairModel(ids, ReadMerges(model, ids))
        {
            IgnoreMerges = Flag(model, "ignore_merges", "model"),
            UnknownId = unknownId,
            FuseUnknown = Flag(model, "fuse_unk", "model"),
        };
    }

    private static IEnumerable<(int Left, int Right, int Merged)> ReadMerges(JsonElement model, Dictionary<string, int> ids)
    {
        var rank = 0;
        foreach (var entry in Member(model, "merges", JsonValueKind.Array, "model").EnumerateArray())
        {
            var where = $"model.merges[{rank++}]";
            var (left, right) = ReadPair(entry, where);
            yield return (IdIn(ids, left, where), IdIn(ids, right, where), IdIn(ids, left + right, where));
        }
    }

    /// <summary>A merge is ["a", "b"], or "a b" in files from before tokenizers 0.20.</summary>
    private static (string Left, string Right) ReadPair(JsonElement entry, string where)
    {
        string[] parts = entry.ValueKind == JsonValueKind.Array
            ? [.. entry.EnumerateArray().Take(3).Select(part => Text(part, where))]
            : Text(entry, where).Split(' ', 3);
        return parts.Length == 2 ? (parts[0], parts[1]) : throw Malformed($"{where} is not a pair of tokens");
    }

    private static int IdIn(Dictionary<string, int> ids, string token, string where) =>
        ids.TryGetValue(token, out var id) ? id : throw Malformed($"{where} names {Quote(token)}, which is not in model.vocab");

    private static int Id(JsonElement element, string token)
    {
        if (element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var id) && id >= 0)
            return id;
        throw Malformed($"the id of token {Quote(token)} is {Quote(element.GetRawText())}, not a whole number from 0 to {int.MaxValue}");
    }

    private static bool Flag(JsonElement parent, string name, string where, bool absent = false) =>
        Optional(parent, name) switch
        {
            null => absent,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } other => throw WrongKind($"{where}.{name}", "true or false", other),
        };

    private static string TypeOf(JsonElement element, string component)
    {
        Require(element, JsonValueKind.Object, component);
        return Text(Member(element, "type", JsonValueKind.String, component), $"{component}.type");
    }

    private static JsonElement? Optional(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static JsonElement Member(JsonElement parent, string name, JsonValueKind kind, string where)
    {
        if (!parent.TryGetProperty(name, out var value))
            throw Malformed($"{where} has no \"{name}\"");
        Require(value, kind, $"{where}.{name}");
        return value;
    }

    private static void Require(JsonElement element, JsonValueKind kind, string where)
    {
        if (element.ValueKind != kind)
            throw WrongKind(where, kind.ToString(), element);
    }

    private static string Text(JsonElement element, string where)
    {
        Require(element, JsonValueKind.String, where);
        return element.GetString()!;
    }

    private static TokenizerException WrongKind(string where, string wanted, JsonElement found) =>
        Malformed($"{where} must be {wanted}, not {found.ValueKind}");

    private static TokenizerException Malformed(string what) => new($"tokenizer.json: {what}");

    private static TokenizerException Unsupported(string component, string type, string supported) =>
        new($"tokenizer.json: {component} of type {Quote(type)} is not supported (supported: {supported})");

    /// <summary>A string from the file on one line and of bounded length.</summary>
    private static string Quote(string text)
    {
        if (text.Length > QuotedLength)
            text = text[..(char.IsHighSurrogate(text[QuotedLength - 1]) ? QuotedLength - 1 : QuotedLength)] + "…";
        return $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }
}
