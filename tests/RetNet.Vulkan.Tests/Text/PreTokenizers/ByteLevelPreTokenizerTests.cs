using System.Text;
using System.Text.RegularExpressions;
using RetNet.Vulkan.Text;
using RetNet.Vulkan.Text.PreTokenizers;

namespace RetNet.Vulkan.Tests.Text.PreTokenizers;

public class ByteLevelPreTokenizerTests
{
    private const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private static readonly ByteLevelPreTokenizer PreTokenizer = new(addPrefixSpace: false, useRegex: true);

    [Fact]
    public void Cuts_text_of_the_basic_plane_as_the_pattern_does()
    {
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var text = TokenizerFixtures.RandomText(random, random.Next(30), astral: false);
            Assert.Equal(Regex.Matches(text, Pattern).Select(match => match.Value), Words(text));
        }
    }

    [Theory]
    [InlineData("𝐀𝐁 𝟏𝟐𝐀", "𝐀𝐁| 𝟏𝟐|𝐀")]
    [InlineData("a🙂🙂b", "a|🙂🙂|b")]
    [InlineData("x  𐐀𐐁", "x| | 𐐀𐐁")]
    [InlineData("中𠀀文 1", "中𠀀文| 1")]
    [InlineData("\u2003\u3000a", "\u2003|\u3000|a")]
    [InlineData("a \n b", "a| \n| b")]
    [InlineData("it's 'S don'tt", "it|'s| '|S| don|'t|t")]
    [InlineData(" ", " ")]
    [InlineData("a  ", "a|  ")]
    public void Sees_code_points(string text, string words)
    {
        Assert.Equal(words.Split('|'), Words(text));
    }

    [Fact]
    public void Without_the_pattern_all_text_is_one_word()
    {
        Assert.Equal(["aĠbĊc"], Spelled(new(addPrefixSpace: false, useRegex: false), "a b\nc"));
        Assert.Equal(["ĠaĠb"], Spelled(new(addPrefixSpace: true, useRegex: false), "a b"));
    }

    private static IEnumerable<string> Words(string text) =>
        Spelled(PreTokenizer, text).Select(word => Encoding.UTF8.GetString(ByteLevelAlphabet.BytesOf(word)));

    private static IEnumerable<string> Spelled(ByteLevelPreTokenizer preTokenizer, string text) =>
        preTokenizer.Split(new TextPiece(text, Starts: true)).Select(word => word.Text);
}
