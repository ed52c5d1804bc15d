using System.Text.Json.Nodes;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter.Tests;

public sealed class CheckpointTokenizerTests : IDisposable
{
    private const string Tokenizer = """
        {"added_tokens":[{"id":0,"content":"<|end|>","special":true},{"id":5,"content":"<tool>","special":false}],
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"ByteLevel"}]},
         "model":{"type":"BPE","vocab":{"<|end|>":0,"a":1,"Ġ":2,"Ġa":3},"merges":[["Ġ","a"]]}}
        """;

    private const string Llama = """
        {"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true},{"id":2,"content":"<0x0A>","special":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
         "post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
           "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}]},
         "model":{"type":"BPE","byte_fallback":true,"unk_token":"<unk>","vocab":{"<unk>":0,"<s>":1,"<0x0A>":2,"▁":3,"a":4,"▁a":5,"aa":6},
           "merges":[["▁","a"],["a","a"],["▁","a"]]}}
        """;

    private readonly TemporaryFolder _folder = new();

    public CheckpointTokenizerTests()
    {
        TestCheckpoint.Load("torchscale_base").Save(_folder.Path);
        Write("tokenizer.json", Tokenizer);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ByteLevelBpe_IsWrittenWholeAndAsGgmlsArrays()
    {
        Write("tokenizer_config.json", """{"bos_token":"<|end|>","eos_token":{"content":"<tool>"},"add_bos_token":true,"model_max_length":512}""");
        using GgufFile file = Convert();

        Assert.Equal(Tokenizer, file.GetString("tokenizer.huggingface.json"));
        Assert.Equal("gpt2", file.GetString("tokenizer.ggml.model"));
        Assert.Equal(["<|end|>", "a", "Ġ", "Ġa", "[PAD4]", "<tool>", "[PAD6]"], file.GetArray<string>("tokenizer.ggml.tokens").Take(7));
        Assert.Equal([3, 1, 1, 1, 5, 4, 5], file.GetArray<int>("tokenizer.ggml.token_type").Take(7));
        Assert.Equal(97, file.GetArray<string>("tokenizer.ggml.tokens").Count);
        Assert.Equal(["Ġ a"], file.GetArray<string>("tokenizer.ggml.merges"));
        Assert.Equal(0u, file.GetUInt32("tokenizer.ggml.bos_token_id"));
        Assert.Equal(5u, file.GetUInt32("tokenizer.ggml.eos_token_id"));
        Assert.True(file.GetBool("tokenizer.ggml.add_bos_token"));
        Assert.Equal(512u, file.GetUInt32("retnet.context_length"));
    }

    [Fact]
    public void Merges_MayBeStrings()
    {
        Write("tokenizer.json", Tokenizer.Replace("""["Ġ","a"]""", "\"Ġ a\"", StringComparison.Ordinal));
        using GgufFile file = Convert();
        Assert.Equal(["Ġ a"], file.GetArray<string>("tokenizer.ggml.merges"));
    }

    [Fact]
    public void BpeWithByteFallback_IsWrittenAsSentencePieces()
    {
        Write("tokenizer.json", Llama);
        using GgufFile file = Convert();

        Assert.Equal("llama", file.GetString("tokenizer.ggml.model"));
        Assert.Equal(["<unk>", "<s>", "<0x0A>", "▁", "a", "▁a", "aa", "[PAD7]"], file.GetArray<string>("tokenizer.ggml.tokens").Take(8));
        Assert.Equal([2, 3, 6, 1, 1, 1, 1, 5], file.GetArray<int>("tokenizer.ggml.token_type").Take(8));
        Assert.Equal([0f, 0f, 0f, -3f, -3f, 0f, -1f, 0f], file.GetArray<float>("tokenizer.ggml.scores").Take(8));
        Assert.Equal(97, file.GetArray<float>("tokenizer.ggml.scores").Count);
        Assert.True(file.GetBool("tokenizer.ggml.add_space_prefix"));
        Assert.Equal(0u, file.GetUInt32("tokenizer.ggml.unknown_token_id"));
        Assert.False(file.Metadata.ContainsKey("tokenizer.ggml.merges"));
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"add_bos_token":false}""", false)]
    [InlineData("""{"bos_token":"a"}""", null)]
    [InlineData("""{"bos_token":"a","add_bos_token":true}""", true)]
    public void AddBos_ComesFromTheConfigOrElseThePostProcessor(string config, bool? expected)
    {
        SetConfig("bos_token_id", null);
        Write("tokenizer.json", Llama);
        Write("tokenizer_config.json", config);
        using GgufFile file = Convert();

        Assert.Equal(config.Contains("\"a\"", StringComparison.Ordinal) ? 4u : 1u, file.GetUInt32("tokenizer.ggml.bos_token_id"));
        Assert.Equal(expected, file.TryGet("tokenizer.ggml.add_bos_token", out bool add) ? add : null);
    }

    [Fact]
    public void OtherBpe_IsWrittenWholeOnly()
    {
        Write("tokenizer.json", Tokenizer.Replace("ByteLevel", "Metaspace", StringComparison.Ordinal));
        using GgufFile file = Convert();

        Assert.True(file.Metadata.ContainsKey("tokenizer.huggingface.json"));
        Assert.False(file.Metadata.ContainsKey("tokenizer.ggml.model"));
    }

    [Fact]
    public void SpecialIds_MayComeFromTheModelsConfig()
    {
        SetConfig("bos_token_id", 3);
        SetConfig("eos_token_id", null);
        using GgufFile file = Convert();

        Assert.Equal(3u, file.GetUInt32("tokenizer.ggml.bos_token_id"));
        Assert.False(file.Metadata.ContainsKey("tokenizer.ggml.eos_token_id"));
        Assert.False(file.Metadata.ContainsKey("tokenizer.ggml.add_bos_token"));
    }

    [Fact]
    public void WithoutATokenizer_TheModelIsConvertedAllTheSame()
    {
        File.Delete(_folder.File("tokenizer.json"));
        using GgufFile file = Convert();
        Assert.DoesNotContain(file.Metadata.Keys, key => key.StartsWith("tokenizer.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"Ġa\":3", "\"Ġa\":97", "'Ġa' the id 97, but the model has 97 tokens")]
    [InlineData("\"Ġa\":3", "\"Ġa\":-1", "a token id")]
    [InlineData("\"Ġa\":3", "\"Ġa\":2", "gives the id 2 to")]
    [InlineData("\"Ġa\":3", "\"\\ud800\":3", "not text")]
    [InlineData("\"BPE\"", "\"Unigram\"", "Unigram\", only BPE")]
    [InlineData("\"model\"", "\"muddle\"", "no 'model'")]
    [InlineData("[\"Ġ\",\"a\"]", "[\"Ġ\"]", "'merges'")]
    [InlineData("[\"Ġ\",\"a\"]", "[\"Ġ\",7]", "'merges'")]
    [InlineData("\"id\":5", "\"\\ud800\":5", "not text")]
    [InlineData("\"merges\"", "\"merged\"", "no 'merges'")]
    [InlineData("\"content\":\"<tool>\"", "\"text\":\"<tool>\"", "'added_tokens'")]
    public void HostileTokenizers_AreRefused(string from, string to, string expected)
    {
        Write("tokenizer.json", Tokenizer.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(expected, Refusal());
    }

    [Fact]
    public void SpecialTokensThatAreNone_AreRefused()
    {
        Write("tokenizer_config.json", """{"bos_token":"<s>"}""");
        Assert.Contains("'bos_token' is \"<s>\"", Refusal());
        File.Delete(_folder.File("tokenizer_config.json"));
        SetConfig("eos_token_id", 97);
        Assert.Contains("'eos_token_id' is 97", Refusal());
    }

    private void Write(string name, string text) => File.WriteAllText(_folder.File(name), text);

    private void SetConfig(string key, int? value)
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!.AsObject();
        config[key] = value;
        Write("config.json", config.ToJsonString());
    }

    private GgufFile Convert()
    {
        CheckpointConverter.Convert(_folder.Path, _folder.File("model.gguf"), BlockType.Find("f16")!);
        return GgufFile.Open(_folder.File("model.gguf"));
    }

    private string Refusal() => Assert.Throws<ConverterException>(() => Convert().Dispose()).Message;
}
