namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Takes up to so many of one character off the start and the end of each token.</summary>
/// <param name="content">The character, as a string since it may be a surrogate pair.</param>
/// <param name="start">Most that are taken off the start.</param>
/// <param name="stop">Most that are taken off the end.</param>
internal sealed class StripDecoder(string content, int start, int stop) : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next, content, start, stop);

    private sealed class Sink(ITokenSink next, string content, int start, int stop) : ITokenSink
    {
        private int _left;
        private int _held;

        public void Append(TokenPart part)
        {
            if (part.First)
                (_left, _held) = (start, 0);
            var text = part.Text.AsSpan();
            for (; _left > 0 && text.StartsWith(content); _left--)
                text = text[content.Length..];
            if (!text.IsEmpty)
                _left = 0;
            next.Append(part with { Text = HoldEnd(text, part.Last) });
        }

        public void End() => next.End();

        /// <summary>Holds back what may be the end of the token, or drops it where the token does end.</summary>
        private string HoldEnd(ReadOnlySpan<char> text, bool last)
        {
            var trailing = 0;
            var body = text;
            for (; trailing < stop && body.EndsWith(content); trailing++)
                body = body[..^content.Length];

            // What was held is followed by more, and if that is all content, only part of it is sure to stay.
            var before = body.IsEmpty ? Math.Max(0, _held + trailing - stop) : _held;
            _held += trailing - before;
            var certain = string.Concat(string.Concat(Enumerable.Repeat(content, before)), body);
            if (last)
                _held = 0;
            return certain;
        }
    }
}
