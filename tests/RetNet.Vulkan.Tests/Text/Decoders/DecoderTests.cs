using RetNet.Vulkan.Text.Decoders;

namespace RetNet.Vulkan.Tests.Text.Decoders;

public class DecoderTests
{
    [Theory]
    [InlineData("<0x61>", "a")]
    [InlineData("<0xE5> <0x8f>", "\uFFFD\uFFFD")]
    [InlineData("<0xE5> <0x8f> <0xab>", "叫")]
    [InlineData("<0xE5> <0x8f> <0xab> a", "叫a")]
    [InlineData("<0xE5> <0x8f> a", "\uFFFD\uFFFDa")]
    [InlineData("<0x61> <0xFF> <0x62> c", "\uFFFD\uFFFD\uFFFDc")]
    [InlineData("<0x61> <0xF0>", "\uFFFD\uFFFD")]
    [InlineData("<0xF0> <0x9F> <0x99> <0x82> <0x0A>", "🙂\n")]
    [InlineData("<0x6> <0xGG> <0x061>", "<0x6><0xGG><0x061>")]
    public void A_run_of_bytes_is_text_as_a_whole_or_not_at_all(string tokens, string text)
    {
        Assert.Equal(text, Decode([new ByteFallbackDecoder()], tokens.Split(' ')));
    }

    [Fact]
    public void Strip_takes_so_many_off_each_token_or_off_the_joined_one()
    {
        Assert.Equal(" aa b ", Decode([new StripDecoder(" ", 1, 0)], ["  a", "a", " ", "  b "]));
        Assert.Equal(" aab", Decode([new FuseDecoder(), new StripDecoder(" ", 1, 2)], [" ", " a", "a", "b", " ", " "]));
        Assert.Equal(" ab ", Decode([new FuseDecoder(), new StripDecoder(" ", 0, 2)], [" a", "b", "  ", " "]));
        Assert.Equal("a  b", Decode([new FuseDecoder(), new StripDecoder(" ", 0, 3)], ["a", " ", " ", "b", " "]));
        Assert.Equal("", Decode([new FuseDecoder(), new StripDecoder("🙂", 1, 1)], ["🙂", "🙂"]));
    }

    [Fact]
    public void Replace_finds_what_several_parts_hold()
    {
        Assert.Equal("xab", Decode([new ReplaceDecoder("ab", "x")], ["ab", "a", "b"]));
        Assert.Equal("xx!a", Decode([new FuseDecoder(), new ReplaceDecoder("ab", "x")], ["ab", "a", "b!", "a"]));
        Assert.Equal("xa", Decode([new FuseDecoder(), new ReplaceDecoder("aa", "x")], ["a", "a", "a"]));
        Assert.Equal("ab", Decode([new ReplaceDecoder("", "x")], ["a", "b"]));
    }

    [Fact]
    public void Metaspace_drops_the_first_tokens_space_where_one_was_put()
    {
        Assert.Equal("Hey friend", Decode([new MetaspaceDecoder("▁", dropFirst: true)], ["▁Hey", "▁friend"]));
        Assert.Equal(" Hey friend", Decode([new MetaspaceDecoder("▁", dropFirst: false)], ["▁Hey", "▁friend"]));
    }

    [Fact]
    public void Without_a_decoder_tokens_stand_apart()
    {
        Assert.Equal("a b", Decode([new SpacedDecoder()], ["a", "b"]));
    }

    [Fact]
    public void Text_comes_as_soon_as_it_is_certain()
    {
        var text = new TextSink();
        var sink = new SequenceDecoder([new ReplaceDecoder("▁", " "), new ByteFallbackDecoder(), new FuseDecoder(), new StripDecoder(" ", 1, 0)]).Start(text);
        Assert.Equal(["a", "", "", "", "🙂b"], ((string[])["▁a", "<0xF0>", "<0x9F>", "<0x99>", "<0x82>"]).Append("b").Select(Next).Where((_, i) => i != 4));

        string Next(string token)
        {
            sink.Append(TokenPart.Whole(token));
            return text.Take();
        }
    }

    private static string Decode(IDecoder[] decoders, string[] tokens)
    {
        var text = new TextSink();
        var sink = new SequenceDecoder(decoders).Start(text);
        foreach (var token in tokens)
            sink.Append(TokenPart.Whole(token));
        sink.End();
        return text.Take();
    }
}
