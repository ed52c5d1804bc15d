namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads what <c>post_processor</c> puts around a single text. Its other work, on pairs and offsets, does not concern ids.</summary>
internal static class TemplateJson
{
    private const string Supported = "ByteLevel, Sequence, TemplateProcessing";

    /// <summary>The template of the file.</summary>
    public static TokenTemplate Read(JsonPart root, int vocabularySize) =>
        root.Optional("post_processor") is { } processor ? ReadOne(processor, vocabularySize) : TokenTemplate.None;

    private static TokenTemplate ReadOne(JsonPart processor, int vocabularySize) => processor.Type() switch
    {
        "TemplateProcessing" => ReadTemplate(processor, vocabularySize),
        "ByteLevel" => TokenTemplate.None,
        // Each puts its tokens around what the one before gave.
        "Sequence" => processor.Member("processors").Items().Select(part => ReadOne(part, vocabularySize)).Aggregate(
            TokenTemplate.None, (inner, outer) => new TokenTemplate([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])),
        var other => throw processor.Unsupported(other, Supported),
    };

    private static TokenTemplate ReadTemplate(JsonPart processor, int vocabularySize)
    {
        var before = new List<int>();
        var after = new List<int>();
        var seen = false;
        foreach (var piece in processor.Member("single").Items())
        {
            if (piece.Optional("Sequence") is { } sequence)
            {
                if (seen || sequence.Member("id").Text() != "A")
                    throw piece.Malformed("is not supported: a single text is the sequence A, once");
                seen = true;
            }
            else
            {
                (seen ? after : before).AddRange(ReadIds(processor, piece.Member("SpecialToken").Member("id").Text(), vocabularySize));
            }
        }

        return seen ? new TokenTemplate([.. before], [.. after]) : throw processor.Malformed("has no sequence A in \"single\"");
    }

    private static IEnumerable<int> ReadIds(JsonPart processor, string token, int vocabularySize)
    {
        foreach (var id in processor.Member("special_tokens").Member(token).Member("ids").Items())
            yield return id.Count() < vocabularySize ? id.Count() : throw id.Wrong($"the id of one of the {vocabularySize} tokens");
    }
}
