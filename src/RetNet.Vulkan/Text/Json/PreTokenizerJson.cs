using RetNet.Vulkan.Text.Patterns;
using RetNet.Vulkan.Text.PreTokenizers;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads pre-tokenizers.</summary>
internal static class PreTokenizerJson
{
    private const string Supported = "ByteLevel, Digits, Metaspace, Sequence, Split";

    /// <summary>The pre-tokenizer of the file.</summary>
    public static IPreTokenizer Read(JsonPart root) =>
        root.Optional("pre_tokenizer") is { } preTokenizer ? ReadOne(preTokenizer) : new SequencePreTokenizer([]);

    /// <summary>Whether <c>Metaspace</c> puts a space before text, and where; <c>add_prefix_space</c> is how older files say it.</summary>
    public static PrependScheme ReadPrependScheme(JsonPart metaspace)
    {
        var scheme = metaspace.Optional("prepend_scheme") is { } name
            ? name.Text() switch
            {
                "always" => PrependScheme.Always,
                "first" => PrependScheme.First,
                "never" => PrependScheme.Never,
                _ => throw name.Wrong("\"always\", \"first\" or \"never\""),
            }
            : (PrependScheme?)null;
        if (metaspace.Flag("add_prefix_space", absent: true))
            return scheme ?? PrependScheme.Always;
        return scheme is null or PrependScheme.Never
            ? PrependScheme.Never
            : throw metaspace.Malformed("has a \"prepend_scheme\" that its \"add_prefix_space\" contradicts");
    }

    private static IPreTokenizer ReadOne(JsonPart part) => part.Type() switch
    {
        "Sequence" => new SequencePreTokenizer([.. part.Member("pretokenizers").Items().Select(ReadOne)]),
        "ByteLevel" => new ByteLevelPreTokenizer(part.Flag("add_prefix_space"), part.Flag("use_regex", absent: true)),
        "Metaspace" => new MetaspacePreTokenizer(
            part.Member("replacement").Character(), ReadPrependScheme(part), part.Flag("split", absent: true)),
        "Split" => new SplitPreTokenizer(PatternJson.Read(part), ReadBehavior(part.Member("behavior")), part.Flag("invert")),
        "Digits" => new SplitPreTokenizer(
            new NumericPattern(), part.Flag("individual_digits") ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false),
        var other => throw part.Unsupported(other, Supported),
    };

    private static SplitBehavior ReadBehavior(JsonPart behavior) => behavior.Text() switch
    {
        "Isolated" => SplitBehavior.Isolated,
        "Removed" => SplitBehavior.Removed,
        "Contiguous" => SplitBehavior.Contiguous,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        _ => throw behavior.Wrong("Isolated, Removed, Contiguous, MergedWithPrevious or MergedWithNext"),
    };
}
