using RetNet.Vulkan.Text.Normalizers;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads normalisers.</summary>
internal static class NormalizerJson
{
    private const string Supported = "Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence, Strip";

    /// <summary>The normaliser of the file.</summary>
    public static INormalizer Read(JsonPart root) =>
        root.Optional("normalizer") is { } normalizer ? ReadOne(normalizer) : new SequenceNormalizer([]);

    private static INormalizer ReadOne(JsonPart normalizer) => normalizer.Type() switch
    {
        "Sequence" => new SequenceNormalizer([.. normalizer.Member("normalizers").Items().Select(ReadOne)]),
        "Prepend" => new PrependNormalizer(normalizer.Member("prepend").Text()),
        "Replace" => new ReplaceNormalizer(PatternJson.Read(normalizer), ReadContent(normalizer)),
        "Strip" => new StripNormalizer(normalizer.Flag("strip_left"), normalizer.Flag("strip_right")),
        "Lowercase" => new LowercaseNormalizer(),
        "NFC" => new UnicodeNormalizer(UnicodeForm.C),
        "NFD" => new UnicodeNormalizer(UnicodeForm.D),
        "NFKC" => new UnicodeNormalizer(UnicodeForm.KC),
        "NFKD" => new UnicodeNormalizer(UnicodeForm.KD),
        var other => throw normalizer.Unsupported(other, Supported),
    };

    /// <summary>What matches become. Whether <c>$1</c> names a group depends on the version of <c>tokenizers</c>.</summary>
    private static string ReadContent(JsonPart normalizer)
    {
        var content = normalizer.Member("content");
        var text = content.Text();
        return normalizer.Member("pattern").Optional("Regex") is null || !text.Contains('$')
            ? text
            : throw content.Malformed("with '$' is not supported for a Regex");
    }
}
