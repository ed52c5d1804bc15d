using System.Text;

namespace RetNet.Vulkan.Text.Decoders;

/// <summary>
/// Reads tokens in the <see cref="ByteLevelAlphabet"/> and joins them to one; a character whose bytes several tokens
/// share is held back until it is complete, and bytes that are not UTF-8 become U+FFFD, one for each maximal part of a
/// sequence.
/// </summary>
internal sealed class ByteLevelDecoder : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : ITokenSink
    {
        private readonly JoinedToken _token = new(next);
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

        public void Append(TokenPart part) => _token.Append(Convert(ByteLevelAlphabet.BytesOf(part.Text), flush: false));

        public void End()
        {
            _token.Append(Convert([], flush: true));
            _token.End();
        }

        private string Convert(ReadOnlySpan<byte> bytes, bool flush)
        {
            var chars = new char[_utf8.GetCharCount(bytes, flush)];
            var count = _utf8.GetChars(bytes, chars, flush);
            return new string(chars, 0, count);
        }
    }
}
