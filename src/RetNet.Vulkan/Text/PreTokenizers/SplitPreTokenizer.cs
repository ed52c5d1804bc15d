using RetNet.Vulkan.Text.Patterns;

namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>Cuts text at the matches of a pattern (<c>NormalizedString::split</c> in huggingface/tokenizers).</summary>
/// <param name="delimiter">The pattern.</param>
/// <param name="behavior">What becomes of the delimiters.</param>
/// <param name="invert">Whether what lies between the matches is the delimiter.</param>
internal sealed class SplitPreTokenizer(IPattern delimiter, SplitBehavior behavior, bool invert) : IPreTokenizer
{
    /// <inheritdoc/>
    public IEnumerable<TextPiece> Split(TextPiece piece)
    {
        Segment? word = null;
        var afterDelimiter = false;
        foreach (var segment in Segments(piece.Text))
        {
            if (word is { } open && Joins(afterDelimiter, segment.IsDelimiter))
            {
                word = open with { End = segment.End };
            }
            else
            {
                if (word is { } done)
                    yield return Word(piece, done);
                word = behavior == SplitBehavior.Removed && segment.IsDelimiter ? null : segment;
            }

            afterDelimiter = segment.IsDelimiter;
        }

        if (word is { } last)
            yield return Word(piece, last);
    }

    /// <summary>Matches and what lies between them, without empty ones.</summary>
    private IEnumerable<Segment> Segments(string text)
    {
        var done = 0;
        foreach (var match in delimiter.Matches(text))
        {
            if (done < match.Start)
                yield return new Segment(done, match.Start, invert);
            if (match.Start < match.End)
                yield return new Segment(match.Start, match.End, !invert);
            done = match.End;
        }

        if (done < text.Length)
            yield return new Segment(done, text.Length, invert);
    }

    private bool Joins(bool afterDelimiter, bool isDelimiter) => behavior switch
    {
        SplitBehavior.Contiguous => afterDelimiter == isDelimiter,
        SplitBehavior.MergedWithPrevious => !afterDelimiter && isDelimiter,
        SplitBehavior.MergedWithNext => afterDelimiter && !isDelimiter,
        _ => false,
    };

    private static TextPiece Word(TextPiece piece, Segment word) =>
        new(piece.Text[word.Start..word.End], piece.Starts && word.Start == 0);

    private readonly record struct Segment(int Start, int End, bool IsDelimiter);
}
