using RetNet.Vulkan.Text.Decoders;
using RetNet.Vulkan.Text.PreTokenizers;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads decoders.</summary>
internal static class DecoderJson
{
    private const string Supported = "ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip";

    /// <summary>The decoder of the file.</summary>
    public static IDecoder Read(JsonPart root)
    {
        var joined = false;
        return root.Optional("decoder") is { } decoder ? ReadOne(decoder, ref joined) : new SpacedDecoder();
    }

    /// <param name="decoder">The decoder.</param>
    /// <param name="joined">Whether the decoders before join all tokens to one; then, whether those up to this do.</param>
    private static IDecoder ReadOne(JsonPart decoder, ref bool joined)
    {
        var type = decoder.Type();
        if (joined && type is "ByteLevel" or "ByteFallback")
            throw decoder.Malformed($"of type {type} is not supported after one that joins the tokens");
        joined |= type is "ByteLevel" or "Fuse";
        return type switch
        {
            "Sequence" => ReadSequence(decoder, ref joined),
            "ByteLevel" => new ByteLevelDecoder(),
            "ByteFallback" => new ByteFallbackDecoder(),
            "Fuse" => new FuseDecoder(),
            "Metaspace" => new MetaspaceDecoder(
                decoder.Member("replacement").Character(), dropFirst: PreTokenizerJson.ReadPrependScheme(decoder) != PrependScheme.Never),
            "Replace" => new ReplaceDecoder(PatternJson.ReadLiteral(decoder), decoder.Member("content").Text()),
            "Strip" => new StripDecoder(
                decoder.Member("content").Character(), decoder.Member("start").Count(), decoder.Member("stop").Count()),
            _ => throw decoder.Unsupported(type, Supported),
        };
    }

    private static SequenceDecoder ReadSequence(JsonPart decoder, ref bool joined)
    {
        var decoders = new List<IDecoder>();
        foreach (var part in decoder.Member("decoders").Items())
            decoders.Add(ReadOne(part, ref joined));
        return new SequenceDecoder([.. decoders]);
    }
}
