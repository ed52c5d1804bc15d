using System.Text;
using System.Text.Json;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text;

internal static class TokenizerFixtures
{
    public static Tokenizer Demo { get; } = Load("demo");

    public static Tokenizer Load(string kind) =>
        Tokenizer.Parse(File.ReadAllBytes(Repository.Fixture("tokenizers", $"{kind}.tokenizer.json")));

    /// <summary>What Hugging Face <c>tokenizers</c> 0.23 gives; see tests/fixtures/tokenizers.</summary>
    public static List<TokenizerCase> Cases(string kind)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture("tokenizers", "tokenizer_cases.json")));
        return
        [
            .. document.RootElement.GetProperty(kind).EnumerateArray().Select(entry => new TokenizerCase(
                entry.GetProperty("text").GetString()!,
                [.. entry.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
                entry.GetProperty("decoded").GetString()!)),
        ];
    }

    /// <summary>A small byte-level tokenizer: the vocabulary in the order of its ids, the rest as given.</summary>
    public static string Json(
        string[] vocabulary, string merges = "[]", string addedTokens = "[]", string model = "", bool prefixSpace = false, bool useRegex = true)
    {
        var entries = vocabulary.Select((token, id) => $"{JsonSerializer.Serialize(token)}: {id}");
        return $$"""
            {
              "added_tokens": {{addedTokens}},
              "normalizer": null,
              "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": {{(prefixSpace ? "true" : "false")}}, "use_regex": {{(useRegex ? "true" : "false")}}},
              "decoder": {"type": "ByteLevel"},
              "model": {"type": "BPE", {{model}} "vocab": { {{string.Join(", ", entries)}} }, "merges": {{merges}}}
            }
            """;
    }

    /// <summary>Random well-formed text of ASCII, Latin, CJK, combining and astral characters and white space.</summary>
    public static string RandomText(Random random, int length, bool astral = true)
    {
        var text = new StringBuilder();
        for (var i = 0; i < length; i++)
        {
            text.Append(random.Next(astral ? 8 : 6) switch
            {
                0 => " ",
                1 => " \t\n\r\u00A0\u2003\u3000\u0085'"[random.Next(9)].ToString(),
                2 => "'s't're've'm'll'd'S"[random.Next(16)..],
                3 => ((char)random.Next(0x21, 0x7F)).ToString(),
                4 => ((char)random.Next(0x80, 0xD800)).ToString(),
                5 => ((char)random.Next('0', 'z')).ToString(),
                6 => new Rune(random.Next(0x1D400, 0x1D800)).ToString(),
                _ => new Rune(random.Next(0x10000, 0x110000)).ToString(),
            });
        }

        return text.ToString();
    }
}
