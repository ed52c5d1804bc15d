namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Replaces a string in each token; where it is empty, nothing.</summary>
internal sealed class ReplaceDecoder(string pattern, string content) : IDecoder
{
    private const int LongestText = 1 << 28;

    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => pattern.Length == 0 ? next : new Sink(next, pattern, content);

    private sealed class Sink(ITokenSink next, string pattern, string content) : ITokenSink
    {
        private string _held = "";
        private bool _first;

        public void Append(TokenPart part)
        {
            _first |= part.First;
            var text = _held + part.Text;
            var decided = part.Last ? text.Length : Decided(text);
            _held = text[decided..];
            text = text[..decided];
            next.Append(new TokenPart(Replaced(text), _first, part.Last));
            _first = false;
        }

        public void End() => next.End();

        private string Replaced(string text) => (long)(text.Length / pattern.Length) * content.Length <= LongestText
            ? text.Replace(pattern, content, StringComparison.Ordinal)
            : throw new TokenizerException($"tokenizer.json: its decoder makes more than {LongestText} characters of a token");

        /// <summary>Length of the text without what may be the beginning of a match.</summary>
        private int Decided(string text)
        {
            var held = Math.Min(pattern.Length - 1, text.Length - EndOfLastMatch(text));
            while (held > 0 && !pattern.AsSpan().StartsWith(text.AsSpan(text.Length - held)))
                held--;
            return text.Length - held;
        }

        /// <summary>Matches are found from the left, so that of "aaa" the pattern "aa" leaves the last.</summary>
        private int EndOfLastMatch(string text)
        {
            var end = 0;
            for (var at = 0; (at = text.IndexOf(pattern, at, StringComparison.Ordinal)) >= 0; at = end)
                end = at + pattern.Length;
            return end;
        }
    }
}
