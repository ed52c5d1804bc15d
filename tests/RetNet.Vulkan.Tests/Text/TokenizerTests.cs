using System.Text;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text;

public class TokenizerTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("llama_style")]
    [InlineData("llama3_style")]
    public void Encodes_and_decodes_as_huggingface_does(string kind)
    {
        var tokenizer = TokenizerFixtures.Load(kind);
        var cases = TokenizerFixtures.Cases(kind);
        Assert.Equal(284, cases.Count);
        foreach (var expected in cases)
        {
            Assert.Equal(expected.Ids, tokenizer.Encode(expected.Text));
            Assert.Equal(expected.Decoded, tokenizer.Decode(expected.Ids));
        }
    }

    [Fact]
    public void Knows_its_tokens()
    {
        var tokenizer = TokenizerFixtures.Demo;
        Assert.Equal(4096, tokenizer.VocabularySize);
        Assert.Equal(0, tokenizer.IdOf("<|endoftext|>"));
        Assert.Equal("<|endoftext|>", tokenizer.TokenOf(0));
        Assert.True(tokenizer.IsSpecial(0));
        Assert.False(tokenizer.IsSpecial(1));
        Assert.Null(tokenizer.IdOf("no such token"));
        Assert.Null(tokenizer.TokenOf(-1));
        Assert.Null(tokenizer.TokenOf(4096));
    }

    [Fact]
    public void Round_trips_any_text()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var text = TokenizerFixtures.RandomText(random, random.Next(60));
            Assert.Equal(text, TokenizerFixtures.Demo.Decode(TokenizerFixtures.Demo.Encode(text)));
        }
    }

    [Fact]
    public void Lone_surrogates_become_replacement_characters()
    {
        // Not InlineData: attributes store strings as UTF-8, which has no lone surrogates.
        AssertRoundTrip("a\uD83Db", "a\uFFFDb");
        AssertRoundTrip("\uDE42", "\uFFFD");
        AssertRoundTrip("\uDE42\uD83D", "\uFFFD\uFFFD");
        AssertRoundTrip("x\uD83D\uD83D\uDE42", "x\uFFFD\uD83D\uDE42");

        static void AssertRoundTrip(string text, string decoded) =>
            Assert.Equal(decoded, TokenizerFixtures.Demo.Decode(TokenizerFixtures.Demo.Encode(text)));
    }

    [Fact]
    public void Decoding_skips_special_tokens_on_request_and_ids_without_a_token()
    {
        var ids = TokenizerFixtures.Demo.Encode("one<|endoftext|> two");
        Assert.Equal("one<|endoftext|> two", TokenizerFixtures.Demo.Decode(ids));
        Assert.Equal("one two", TokenizerFixtures.Demo.Decode(ids, skipSpecial: true));
        Assert.Equal("one two", TokenizerFixtures.Demo.Decode([.. ids, -1, 4096, int.MaxValue], skipSpecial: true));
    }

    [Fact]
    public void Long_words_are_encoded_like_their_parts()
    {
        // 2^k x's merge into one token, so 100000 of them must come out as the greedy sum of powers of two.
        string[] vocabulary = [.. Enumerable.Range(0, 11).Select(k => new string('x', 1 << k))];
        var merges = string.Join(", ", vocabulary.SkipLast(1).Select(token => $"\"{token} {token}\""));
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(vocabulary, $"[{merges}]"));
        var ids = tokenizer.Encode(new string('x', 100_000));
        Assert.Equal([.. Enumerable.Repeat(10, 100_000 / 1024), .. new[] { 9, 7, 5 }], ids);
        Assert.Equal(100_000 % 1024, (1 << 9) + (1 << 7) + (1 << 5));

        var text = new string('x', 100_000);
        Assert.Equal(text, TokenizerFixtures.Demo.Decode(TokenizerFixtures.Demo.Encode(text)));
    }

    [Theory]
    [InlineData("""[["a", "b"], ["ab", "c"]]""")]
    [InlineData("""["a b", "ab c"]""")]
    public void Merges_may_be_pairs_or_strings(string merges)
    {
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(["a", "b", "c", "ab", "abc"], merges));
        Assert.Equal([4, 3, 0, 2], tokenizer.Encode("abcabac"));
    }

    [Fact]
    public void Lower_ranks_merge_first_and_then_the_leftmost()
    {
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(["a", "b", "c", "bc", "ab", "aa"], """["b c", "a b", "a a"]"""));
        Assert.Equal([0, 3], tokenizer.Encode("abc"));
        Assert.Equal([5, 0], tokenizer.Encode("aaa"));
    }

    [Fact]
    public void Ignore_merges_takes_words_of_the_vocabulary_whole()
    {
        string[] vocabulary = ["a", "b", "c", "bc", "abc"];
        var merged = Tokenizer.Parse(TokenizerFixtures.Json(vocabulary, """["b c"]"""));
        var whole = Tokenizer.Parse(TokenizerFixtures.Json(vocabulary, """["b c"]""", model: "\"ignore_merges\": true,"));
        Assert.Equal([0, 3], merged.Encode("abc"));
        Assert.Equal([4], whole.Encode("abc"));
        Assert.Equal([0, 0, 3], whole.Encode("aabc"));
    }

    [Theory]
    [InlineData("", new[] { 0, 1 })]
    [InlineData("\"unk_token\": \"?\",", new[] { 0, 2, 2, 1 })]
    [InlineData("\"unk_token\": \"?\", \"fuse_unk\": true,", new[] { 0, 2, 1 })]
    public void Unknown_characters_follow_the_model(string model, int[] ids)
    {
        Assert.Equal(ids, Tokenizer.Parse(TokenizerFixtures.Json(["a", "b", "?"], model: model)).Encode("axyb"));
    }

    [Fact]
    public void Prefix_space_goes_before_each_stretch_of_text()
    {
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(
            ["a", "\u0120", "\u0120a", "<s>"], """["\u0120 a"]""", """[{"id": 3, "content": "<s>", "special": true}]""", prefixSpace: true));
        Assert.Equal([2], tokenizer.Encode("a"));
        Assert.Equal([2], tokenizer.Encode(" a"));
        Assert.Equal([2, 3, 2, 0], tokenizer.Encode("a<s>aa"));
        Assert.Empty(tokenizer.Encode(""));
    }

    [Theory]
    [InlineData("", "a <s> b", new[] { 0, 2, 3, 2, 1 })]
    [InlineData("\"lstrip\": true", "a \u3000<s> b", new[] { 0, 3, 2, 1 })]
    [InlineData("\"rstrip\": true", "a <s> \n\u2003b", new[] { 0, 2, 3, 1 })]
    [InlineData("\"lstrip\": true, \"rstrip\": true", "a <s>  <s> b", new[] { 0, 3, 3, 1 })]
    [InlineData("\"single_word\": true", "a<s> <s>b <s> <s>", new[] { 0, 2, 1, 2, 3, 2, 3 })]
    [InlineData("\"single_word\": true", "_<s> \u0301<s>", new[] { 2 })]
    [InlineData("\"normalized\": true", "a<s>b", new[] { 0, 3, 1 })]
    public void Added_tokens_follow_their_flags(string flags, string text, int[] ids)
    {
        var token = $$"""[{"id": 3, "content": "<s>" {{(flags.Length > 0 ? "," : "")}} {{flags}}}]""";
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(["a", "b", "\u0120", "<s>"], addedTokens: token));
        Assert.Equal(ids, tokenizer.Encode(text));
    }

    [Fact]
    public void The_leftmost_longest_added_token_wins_and_unnormalised_ones_go_first()
    {
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(["a"], addedTokens: """
            [
              {"id": 1, "content": "<s", "normalized": false},
              {"id": 2, "content": "<s>>", "normalized": false},
              {"id": 3, "content": "a<", "normalized": true},
              {"id": 4, "content": "a🙂", "normalized": true}
            ]
            """));
        Assert.Equal([2], tokenizer.Encode("<s>>"));
        Assert.Equal([1, 0], tokenizer.Encode("<s>a"));
        Assert.Equal([0, 1, 3], tokenizer.Encode("a<sa<"));
        Assert.Equal([4, 0], tokenizer.Encode("a🙂a"));
    }

    [Fact]
    public void Added_tokens_outside_the_byte_alphabet_decode_to_themselves()
    {
        var tokenizer = Tokenizer.Parse(TokenizerFixtures.Json(["a"], addedTokens: """[{"id": 1, "content": "my 🙂 token"}]"""));
        Assert.Equal("amy 🙂 tokena", tokenizer.Decode([0, 1, 0]));
    }

    [Fact]
    public void Random_ids_decode_to_the_lossy_text_of_their_bytes()
    {
        // Ids 1 to 256 of the demo tokenizer are the bytes, in the order of GPT-2's alphabet.
        byte[] alphabet =
        [
            .. Enumerable.Range(0, 256).Where(IsPrintable).Select(value => (byte)value),
            .. Enumerable.Range(0, 256).Where(value => !IsPrintable(value)).Select(value => (byte)value),
        ];
        var random = new Random(2);
        for (var i = 0; i < 300; i++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(1, 257))];
            byte[] bytes = [.. ids.Select(id => alphabet[id - 1])];
            Assert.Equal(Encoding.UTF8.GetString(bytes), TokenizerFixtures.Demo.Decode(ids));
        }

        static bool IsPrintable(int value) => value is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
    }

    [Fact]
    public void Encodes_concurrently()
    {
        var cases = TokenizerFixtures.Cases("demo");
        Parallel.For(0, 4, _ => Assert.All(cases, expected => Assert.Equal(expected.Ids, TokenizerFixtures.Demo.Encode(expected.Text))));
    }

    [Fact]
    public void A_long_text_round_trips()
    {
        var text = File.ReadAllText(Repository.Fixture("tokenizers", "tokenizer_cases.json"));
        Assert.Equal(text, TokenizerFixtures.Demo.Decode(TokenizerFixtures.Demo.Encode(text)));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("llama_style")]
    [InlineData("llama3_style")]
    public void A_megabyte_without_a_break_is_one_word_like_any_other(string kind)
    {
        var tokenizer = TokenizerFixtures.Load(kind);
        foreach (var unit in (string[])["e", " ", "\u0301", "🙂", "\n", "1"])
        {
            var text = "x" + string.Concat(Enumerable.Repeat(unit, (1 << 20) / unit.Length));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void Template_puts_its_tokens_around_a_text_on_request()
    {
        var tokenizer = Tokenizer.Parse("""
            {"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
              "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
              "special_tokens": {"<s>": {"id": "<s>", "ids": [1, 2], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}]},
             "model": {"type": "BPE", "vocab": {"a": 0, "<s>": 1, "</s>": 2}, "merges": []}}
            """);
        Assert.Equal([0, 0], tokenizer.Encode("aa"));
        Assert.Equal([1, 2, 0, 0, 2], tokenizer.Encode("aa", addSpecialTokens: true));
        Assert.Equal([1, 2], tokenizer.Prefix);
        Assert.Equal("a a", tokenizer.Decode([0, 0]));
    }

    [Theory]
    [InlineData("ax", new[] { 2, 0, 3 })]
    [InlineData("a[T]a", new[] { 2, 0, 4, 2, 0 })]
    [InlineData("a[N]", new[] { 2, 0, 1, 1, 1 })]
    [InlineData("[N]a", new[] { 5, 0 })]
    [InlineData("", new int[0])]
    public void Text_is_normalised_between_added_tokens_and_so_are_normalised_ones(string text, int[] ids)
    {
        // "[N]" is looked for as "▁[N]", since its own text is normalised too.
        var tokenizer = Tokenizer.Parse("""
            {"normalizer": {"type": "Prepend", "prepend": "▁"},
             "added_tokens": [{"id": 4, "content": "[T]", "normalized": false}, {"id": 5, "content": "[N]", "normalized": true}],
             "model": {"type": "BPE", "unk_token": "?", "byte_fallback": true, "vocab": {"a": 0, "?": 1, "▁": 2, "<0x78>": 3}, "merges": []}}
            """);
        Assert.Equal(ids, tokenizer.Encode(text));
    }

    [Fact]
    public void Normalisers_that_explode_are_ended()
    {
        var doubling = string.Join(", ", Enumerable.Repeat("""{"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaaaaaaaa"}""", 12));
        var tokenizer = Tokenizer.Parse($$$"""{"normalizer": {"type": "Sequence", "normalizers": [{{{doubling}}}]}, "model": {"vocab": {"a": 0}, "merges": []}}""");
        Assert.Throws<TokenizerException>(() => tokenizer.Encode("a"));
    }
}
