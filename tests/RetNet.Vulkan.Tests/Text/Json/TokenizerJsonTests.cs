using System.Text;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text.Json;

public class TokenizerJsonTests
{
    private const string Start = """{"pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"}, """;

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "the document must be Object")]
    [InlineData("{}", "the document has no \"model\"")]
    [InlineData("""{"model": {}, "normalizer": 3}""", "normalizer must be Object")]
    [InlineData("""{"model": {}, "normalizer": {}}""", "normalizer has no \"type\"")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Whitespace"}}""", "pre_tokenizer of type \"Whitespace\" is not supported")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "ByteLevel", "use_regex": 1}}""", "pre_tokenizer.use_regex must be true or false")]
    [InlineData("""{"model": {}, "decoder": {"type": "WordPiece"}}""", "decoder of type \"WordPiece\"")]
    [InlineData("""{"model": {}, "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]}}""", "normalizer.normalizers[1] of type \"Nmt\" is not supported")]
    [InlineData("""{"model": {}, "normalizer": {"type": "Sequence"}}""", "normalizer has no \"normalizers\"")]
    [InlineData("""{"model": {}, "normalizer": {"type": "Prepend", "prepend": 1}}""", "normalizer.prepend must be String")]
    [InlineData("""{"model": {}, "normalizer": {"type": "Replace", "pattern": {}, "content": ""}}""", "normalizer.pattern has neither")]
    [InlineData("""{"model": {}, "normalizer": {"type": "Replace", "pattern": {"Regex": "a"}, "content": "$1"}}""", "normalizer.content with '$'")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "["}, "behavior": "Isolated"}}""", "pre_tokenizer.pattern.Regex is not supported: \"[\"")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "Kept"}}""", "pre_tokenizer.behavior must be Isolated")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Metaspace", "replacement": "__"}}""", "pre_tokenizer.replacement must be one character")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}}""", "pre_tokenizer.prepend_scheme must be")]
    [InlineData("""{"model": {}, "pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": false}}""", "contradicts")]
    [InlineData("""{"model": {}, "decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}}""", "decoder.decoders[1] of type ByteFallback is not supported after")]
    [InlineData("""{"model": {}, "decoder": {"type": "Replace", "pattern": {"Regex": "a"}, "content": ""}}""", "decoder.pattern.Regex is not supported here")]
    [InlineData("""{"model": {}, "decoder": {"type": "Strip", "content": " ", "start": -1, "stop": 0}}""", "decoder.start must be a whole number")]
    [InlineData("""{"post_processor": {"type": "BertProcessing"}, "model": {"vocab": {}, "merges": []}}""", "post_processor of type \"BertProcessing\"")]
    [InlineData("""{"post_processor": {"type": "TemplateProcessing", "single": []}, "model": {"vocab": {}, "merges": []}}""", "post_processor has no sequence A")]
    [InlineData("""{"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {"x": {"ids": [9]}}}, "model": {"vocab": {}, "merges": []}}""", "ids[0] must be the id of one of the 0 tokens")]
    [InlineData(Start + "\"a\": 0}", "the document has no \"model\"")]
    [InlineData(Start + "\"model\": []}", "model must be Object")]
    [InlineData(Start + """ "model": {"type": "Unigram"}}""", "model of type \"Unigram\"")]
    [InlineData(Start + """ "model": {"dropout": 0.1}}""", "dropout")]
    [InlineData(Start + """ "model": {"continuing_subword_prefix": "##"}}""", "continuing_subword_prefix")]
    [InlineData(Start + """ "model": {"type": "BPE"}}""", "model has no \"vocab\"")]
    [InlineData(Start + """ "model": {"vocab": [], "merges": []}}""", "model.vocab must be Object")]
    [InlineData(Start + """ "model": {"vocab": {"a": "0"}, "merges": []}}""", "the id of token \"a\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": -1}, "merges": []}}""", "the id of token \"a\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0.5}, "merges": []}}""", "the id of token \"a\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 1e300}, "merges": []}}""", "the id of token \"a\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 2147483647}, "merges": []}}""", "leaves a gap")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0, "b": 2}, "merges": []}}""", "leaves a gap")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0, "b": 0}, "merges": []}}""", "have the same id 0")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0, "a": 1}, "merges": []}}""", "model has token \"a\" twice")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}}}""", "model has no \"merges\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": {}}}""", "model.merges must be Array")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": ["a"]}}""", "model.merges[0] is not a pair")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": ["a b c"]}}""", "model.merges[0] is not a pair")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": [["a", "b", "c"]]}}""", "model.merges[0] is not a pair")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": [["a", 1]]}}""", "model.merges[0][1] must be String")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0, "ab": 1}, "merges": ["a b"]}}""", "model.merges[0] names \"b\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}""", "model.merges[0] names \"ab\"")]
    [InlineData(Start + """ "model": {"vocab": {"a": 0}, "merges": [], "unk_token": "?"}}""", "model.unk_token names \"?\"")]
    [InlineData(Start + """ "model": {"vocab": {"\ud800": 0}, "merges": []}}""", "not valid Unicode")]
    [InlineData(Start + """ "added_tokens": {}, "model": {"vocab": {"a": 0}, "merges": []}}""", "added_tokens must be Array")]
    [InlineData(Start + """ "added_tokens": [1], "model": {"vocab": {"a": 0}, "merges": []}}""", "added_tokens[0] must be Object")]
    [InlineData(Start + """ "added_tokens": [{"id": 0}], "model": {"vocab": {"a": 0}, "merges": []}}""", "added_tokens[0] has no \"content\"")]
    [InlineData(Start + """ "added_tokens": [{"id": 0, "content": ""}], "model": {"vocab": {"a": 0}, "merges": []}}""", "added_tokens[0] has an empty \"content\"")]
    [InlineData(Start + """ "added_tokens": [{"id": 1, "content": "a"}], "model": {"vocab": {"a": 0}, "merges": []}}""", "has id 0 in model.vocab and 1 in added_tokens")]
    [InlineData(Start + """ "added_tokens": [{"id": 0, "content": "b"}], "model": {"vocab": {"a": 0}, "merges": []}}""", "have the same id 0")]
    [InlineData(Start + """ "added_tokens": [{"id": 1, "content": "b"}, {"id": 2, "content": "b"}], "model": {"vocab": {"a": 0}, "merges": []}}""", "\"b\" twice")]
    [InlineData(Start + """ "added_tokens": [{"id": 1, "content": "b", "lstrip": "yes"}], "model": {"vocab": {"a": 0}, "merges": []}}""", "added_tokens[0].lstrip must be true or false")]
    public void Refuses_malformed_files_with_one_line(string json, string message)
    {
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Parse(json));
        Assert.StartsWith("tokenizer.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Messages_quote_hostile_strings_on_one_short_line()
    {
        var type = "line\\nbreak \\u2028\\u0007 " + string.Concat(Enumerable.Repeat("🙂", 10_000));
        var error = Assert.Throws<TokenizerException>(() => Tokenizer.Parse("{\"model\": {}, \"normalizer\": {\"type\": \"" + type + "\"}}"));
        Assert.DoesNotContain(error.Message, char.IsControl);
        Assert.InRange(error.Message.Length, 1, 400);
    }

    [Fact]
    public void Refuses_every_truncation()
    {
        var json = Encoding.UTF8.GetBytes(TokenizerFixtures.Json(["a", "b", "ab", "<é>"], """["a b"]""", """[{"id": 3, "content": "<é>"}]"""));
        Assert.Equal([2, 3], Tokenizer.Parse(json).Encode("ab<é>"));
        for (var length = 0; length < json.Length; length++)
            Assert.Throws<TokenizerException>(() => Tokenizer.Parse(json.AsMemory(0, length)));
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_but_never_crash()
    {
        var json = Encoding.UTF8.GetBytes(TokenizerFixtures.Json(["a", "b", "ab", "<é>"], """["a b"]""", """[{"id": 3, "content": "<é>"}]"""));
        var random = new Random(5);
        var refused = 0;
        for (var i = 0; i < 5000; i++)
        {
            var damaged = (byte[])json.Clone();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            refused += Record.Exception(() => Tokenizer.Parse(damaged).Encode("ab<é>")) switch
            {
                null => 0,
                TokenizerException => 1,
                var other => throw new InvalidOperationException(Convert.ToHexString(damaged), other),
            };
        }

        Assert.InRange(refused, 1, 4999);
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        Assert.Throws<TokenizerException>(() => Tokenizer.Parse(new string('[', 1_000_000)));
    }

    [Fact]
    public void Old_files_without_a_model_type_and_with_empty_affixes_are_read()
    {
        var tokenizer = Tokenizer.Parse(Start + """
            "truncation": {"max_length": 1}, "post_processor": {"type": "ByteLevel"},
            "model": {"dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "vocab": {"a": 0}, "merges": []}}
            """);
        Assert.Equal([0, 0], tokenizer.Encode("aa"));
    }
}
