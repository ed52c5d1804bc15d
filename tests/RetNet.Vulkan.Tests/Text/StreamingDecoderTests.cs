using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Text;

public class StreamingDecoderTests
{
    [Fact]
    public void Pieces_equal_the_whole()
    {
        foreach (var expected in TokenizerFixtures.Cases("demo"))
            Assert.Equal(expected.Decoded, Stream(expected.Ids, skipSpecial: false));
    }

    [Fact]
    public void Pieces_of_random_ids_equal_the_whole()
    {
        var random = new Random(4);
        for (var i = 0; i < 1000; i++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(-1, random.Next(2) == 0 ? 257 : 4100))];
            var skipSpecial = random.Next(2) == 0;
            Assert.Equal(TokenizerFixtures.Demo.Decode(ids, skipSpecial), Stream(ids, skipSpecial));
        }
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

    private static string Stream(IEnumerable<int> ids, bool skipSpecial)
    {
        var decoder = new StreamingDecoder(TokenizerFixtures.Demo, skipSpecial);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
    }
}
