namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Turns the visible space back into spaces; in the first token it is dropped where encoding may have put it.</summary>
internal sealed class MetaspaceDecoder(string replacement, bool dropFirst) : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next, replacement, dropFirst);

    private sealed class Sink(ITokenSink next, string replacement, bool dropFirst) : ITokenSink
    {
        private string _space = dropFirst ? "" : " ";

        public void Append(TokenPart part)
        {
            next.Append(part with { Text = part.Text.Replace(replacement, _space, StringComparison.Ordinal) });
            if (part.Last)
                _space = " ";
        }

        public void End() => next.End();
    }
}
