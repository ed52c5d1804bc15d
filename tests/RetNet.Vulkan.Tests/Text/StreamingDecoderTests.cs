using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text;

public class StreamingDecoderTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("llama_style")]
    [InlineData("llama3_style")]
    public void Pieces_equal_the_whole(string kind)
    {
        var tokenizer = TokenizerFixtures.Load(kind);
        foreach (var expected in TokenizerFixtures.Cases(kind))
            Assert.Equal(expected.Decoded, Stream(tokenizer, expected.Ids, skipSpecial: false));
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("llama_style")]
    [InlineData("llama3_style")]
    public void Pieces_of_random_ids_equal_the_whole_and_have_no_half_characters(string kind)
    {
        var tokenizer = TokenizerFixtures.Load(kind);
        var random = new Random(4);
        for (var i = 0; i < 500; i++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(-1, random.Next(2) == 0 ? 257 : 4100))];
            var skipSpecial = random.Next(2) == 0;
            Assert.Equal(tokenizer.Decode(ids, skipSpecial), Stream(tokenizer, ids, skipSpecial));
        }
    }

    [Fact]
    public void A_continuation_keeps_the_space_that_a_text_loses_at_its_start()
    {
        var tokenizer = TokenizerFixtures.Load("llama_style");
        var prompt = tokenizer.Encode("Hello, 🙂");
        var rest = tokenizer.Encode("Hello, 🙂 world")[prompt.Length..];
        var decoder = new StreamingDecoder(tokenizer, prompt);
        Assert.Equal(" world", string.Concat(rest.Select(decoder.Append)) + decoder.Flush());
        Assert.Equal("world", tokenizer.Decode(rest));
    }

    [Fact]
    public void Holds_a_character_back_until_its_last_byte()
    {
        var ids = TokenizerFixtures.Demo.Encode("🙂");
        Assert.True(ids.Length > 1);
        var decoder = new StreamingDecoder(TokenizerFixtures.Demo);
        Assert.All(ids[..^1], id => Assert.Equal("", decoder.Append(id)));
        Assert.Equal("🙂", decoder.Append(ids[^1]));
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void Flush_replaces_an_incomplete_character_and_starts_anew()
    {
        var ids = TokenizerFixtures.Demo.Encode("🙂");
        var decoder = new StreamingDecoder(TokenizerFixtures.Demo);
        Assert.Equal("", decoder.Append(ids[0]));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("", decoder.Flush());
        Assert.Equal("🙂", string.Concat(ids.Select(decoder.Append)));
    }

    [Fact]
    public void A_wrong_continuation_releases_what_was_held()
    {
        var tokenizer = TokenizerFixtures.Demo;
        var decoder = new StreamingDecoder(tokenizer);
        Assert.Equal("", decoder.Append(tokenizer.Encode("é")[0]));
        Assert.Equal("\uFFFDx", decoder.Append(tokenizer.IdOf("x")!.Value));
    }

    private static string Stream(Tokenizer tokenizer, IEnumerable<int> ids, bool skipSpecial)
    {
        var decoder = new StreamingDecoder(tokenizer, skipSpecial);
        var text = "";
        foreach (var id in ids)
        {
            var piece = decoder.Append(id);
            Assert.False(piece.Length > 0 && (char.IsHighSurrogate(piece[^1]) || char.IsLowSurrogate(piece[0])));
            text += piece;
        }

        return text + decoder.Flush();
    }
}
