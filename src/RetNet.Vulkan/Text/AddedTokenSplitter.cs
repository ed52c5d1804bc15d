using System.Buffers;
using System.Globalization;
using System.Text;

namespace RetNet.Vulkan.Text;

/// <summary>
/// Cuts text at added tokens: leftmost match first, the longest of those that begin there
/// (<c>AddedVocabulary::find_matches</c> in huggingface/tokenizers).
/// </summary>
internal sealed class AddedTokenSplitter
{
    private const int Root = 0;
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _tokenAt = [null];
    private readonly SearchValues<char> _firstChars;

    /// <summary>Builds the trie of the tokens' contents.</summary>
    public AddedTokenSplitter(IReadOnlyCollection<AddedToken> tokens)
    {
        foreach (var token in tokens)
            Insert(token);
        _firstChars = SearchValues.Create(tokens.Select(token => token.Content[0]).Distinct().ToArray());
    }

    /// <summary>A stretch of the text: an added token, or text between them when <c>Token</c> is null.</summary>
    public readonly record struct Piece(string Text, AddedToken? Token);

    /// <summary>The pieces of well-formed UTF-16 text, in order, none of them empty.</summary>
    public IEnumerable<Piece> Split(string text)
    {
        var done = 0;
        for (var at = NextCandidate(text, 0); at >= 0;)
        {
            var token = LongestAt(text, at);
            if (token is null)
            {
                at = NextCandidate(text, at + 1);
                continue;
            }

            var (start, end) = (at, at + token.Content.Length);
            at = NextCandidate(text, end);
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
                continue;

            if (token.LeftStrip)
                start = Math.Max(done, text.AsSpan(0, start).TrimEnd().Length);
            if (token.RightStrip)
                end = text.Length - text.AsSpan(end).TrimStart().Length;
            if (done < start)
                yield return new Piece(text[done..start], null);
            yield return new Piece(token.Content, token);
            done = end;
        }

        if (done < text.Length)
            yield return new Piece(text[done..], null);
    }

    private void Insert(AddedToken token)
    {
        var node = Root;
        foreach (var next in token.Content)
        {
            if (!_edges.TryGetValue((node, next), out var child))
            {
                child = _tokenAt.Count;
                _tokenAt.Add(null);
                _edges.Add((node, next), child);
            }

            node = child;
        }

        // Of two that normalise to the same text, the first counts.
        _tokenAt[node] ??= token;
    }

    private int NextCandidate(string text, int from)
    {
        var offset = text.AsSpan(from).IndexOfAny(_firstChars);
        return offset < 0 ? -1 : from + offset;
    }

    private AddedToken? LongestAt(string text, int at)
    {
        AddedToken? longest = null;
        for (var node = Root; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
            longest = _tokenAt[node] ?? longest;
        return longest;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    /// <summary>
    /// \w of Unicode TS 18: letters, marks, decimal and letter numbers, connectors, joiners and the enclosed
    /// letters, which are symbols by category and alphabetic by property.
    /// </summary>
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9)
            or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
    };
}
