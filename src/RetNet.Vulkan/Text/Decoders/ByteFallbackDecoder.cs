using System.Text;

namespace RetNet.Vulkan.Text.Decoders;

/// <summary>
/// Turns tokens that name bytes, <c>&lt;0xE2&gt;</c>, into characters. A run of them is either UTF-8 as a whole or
/// one U+FFFD for each byte.
/// </summary>
/// <remarks>
/// So a run is held back until it ends, or until it can no longer be UTF-8: text that was let through earlier would
/// not be what the whole run decodes to.
/// </remarks>
internal sealed class ByteFallbackDecoder : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : ITokenSink
    {
        private const string Replacement = "\uFFFD";
        private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

        private readonly Decoder _utf8 = Strict.GetDecoder();
        private readonly StringBuilder _run = new();
        private int _held;
        private bool _damaged;

        public void Append(TokenPart part)
        {
            if (ByteTokens.ByteOf(part.Text) is { } value)
            {
                AppendByte(value);
                return;
            }

            EndRun();
            next.Append(part);
        }

        public void End()
        {
            EndRun();
            next.End();
        }

        private void AppendByte(byte value)
        {
            _held++;
            if (!_damaged)
                _damaged = !TryConvert([value], flush: false);
            if (_damaged)
                ReplaceHeld();
        }

        private void EndRun()
        {
            if (_held > 0 && !_damaged && TryConvert([], flush: true))
                next.Append(TokenPart.Whole(_run.ToString()));
            else
                ReplaceHeld();
            _utf8.Reset();
            _run.Clear();
            _held = 0;
            _damaged = false;
        }

        private void ReplaceHeld()
        {
            for (; _held > 0; _held--)
                next.Append(TokenPart.Whole(Replacement));
        }

        private bool TryConvert(ReadOnlySpan<byte> bytes, bool flush)
        {
            // One byte completes at most one character, of at most two UTF-16 units.
            Span<char> chars = stackalloc char[2];
            try
            {
                _run.Append(chars[.._utf8.GetChars(bytes, chars, flush)]);
                return true;
            }
            catch (DecoderFallbackException)
            {
                return false;
            }
        }
    }
}
