using System.Diagnostics;
using System.Text.RegularExpressions;

namespace RetNet.Vulkan.Text.Patterns;

/// <summary>A regular expression of Oniguruma's, which Hugging Face uses, run by .NET's engine.</summary>
internal sealed class RegexPattern : IPattern
{
    // The patterns of real tokenizers are linear, far from these limits; they end those that are not.
    private const int CharactersASecond = 100_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly Regex _regex;

    /// <summary>Compiles an Oniguruma pattern.</summary>
    /// <exception cref="ArgumentException">It is malformed, or uses what has no equal in .NET.</exception>
    public RegexPattern(string pattern)
    {
        _regex = new Regex(OnigurumaSyntax.Translate(pattern), RegexOptions.CultureInvariant | RegexOptions.Multiline, Limit);
    }

    /// <inheritdoc/>
    public IEnumerable<TextRange> Matches(string text)
    {
        var plane = new BasicPlaneText(text);
        var matches = new List<TextRange>();
        var clock = Stopwatch.StartNew();
        var limit = Limit + TimeSpan.FromSeconds(text.Length / CharactersASecond);
        try
        {
            foreach (var match in _regex.EnumerateMatches(plane.Text))
            {
                matches.Add(plane.Original(match.Index, match.Index + match.Length));
                if (clock.Elapsed > limit)
                    throw TooSlow(null);
            }
        }
        catch (RegexMatchTimeoutException error)
        {
            throw TooSlow(error);
        }

        return matches;
    }

    private static TokenizerException TooSlow(Exception? error)
    {
        var message = $"tokenizer.json: a regular expression in it takes too long on this text";
        return error is null ? new TokenizerException(message) : new TokenizerException(message, error);
    }
}
