using System.Text.Json;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads the model: byte-pair encoding.</summary>
internal static class ModelJson
{
    /// <summary>Throws where the model is not one that <see cref="BytePairModel"/> computes. Without a type it is BPE from before types were written.</summary>
    public static void Check(JsonPart model)
    {
        if (model.Optional("type")?.Text() is { } type && type != "BPE")
            throw model.Unsupported(type, "BPE");
        if (model.Optional("dropout") is { } dropout && !(dropout.Element.ValueKind == JsonValueKind.Number && dropout.Element.GetDouble() == 0))
            throw model.Unsupported("BPE with dropout", "BPE without it");
        foreach (var affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Optional(affix)?.Text() is { Length: > 0 })
                throw model.Unsupported($"BPE with {affix}", "BPE without it");
        }
    }

    /// <summary>The ids of the model's tokens.</summary>
    public static Dictionary<string, int> ReadVocabulary(JsonPart model)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in model.Member("vocab").Entries())
        {
            var token = entry.Name;
            if (!ids.TryAdd(token, ReadId(entry.Value, token)))
                throw model.Malformed($"has token {JsonPart.Quote(token)} twice in \"vocab\"");
        }

        return ids;
    }

    /// <summary>The id of a token.</summary>
    public static int ReadId(JsonElement id, string token) =>
        id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var number) && number >= 0
            ? number
            : throw new TokenizerException($"tokenizer.json: the id of token {JsonPart.Quote(token)} is {JsonPart.Quote(id.GetRawText())}, not a whole number from 0 to {int.MaxValue}");

    /// <summary>The model.</summary>
    public static BytePairModel Read(JsonPart model, Dictionary<string, int> ids) => new(ids, ReadMerges(model.Member("merges"), ids))
    {
        IgnoreMerges = model.Flag("ignore_merges"),
        ByteFallback = model.Flag("byte_fallback"),
        UnknownId = model.Optional("unk_token") is { } unknown ? IdIn(ids, unknown.Text(), unknown) : null,
        FuseUnknown = model.Flag("fuse_unk"),
    };

    private static IEnumerable<(int Left, int Right, int Merged)> ReadMerges(JsonPart merges, Dictionary<string, int> ids)
    {
        foreach (var entry in merges.Items())
        {
            var (left, right) = ReadPair(entry);
            yield return (IdIn(ids, left, entry), IdIn(ids, right, entry), IdIn(ids, left + right, entry));
        }
    }

    /// <summary>A merge is ["a", "b"], or "a b" in files from before tokenizers 0.20.</summary>
    private static (string Left, string Right) ReadPair(JsonPart entry)
    {
        string[] parts = entry.Element.ValueKind == JsonValueKind.Array
            ? [.. entry.Items().Take(3).Select(part => part.Text())]
            : entry.Text().Split(' ', 3);
        return parts.Length == 2 ? (parts[0], parts[1]) : throw entry.Malformed("is not a pair of tokens");
    }

    private static int IdIn(Dictionary<string, int> ids, string token, JsonPart where) =>
        ids.TryGetValue(token, out var id) ? id : throw where.Malformed($"names {JsonPart.Quote(token)}, which is not in model.vocab");
}
