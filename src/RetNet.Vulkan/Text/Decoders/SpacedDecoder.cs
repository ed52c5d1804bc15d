namespace RetNet.Vulkan.Text.Decoders;

/// <summary>What happens without a decoder: a space between tokens.</summary>
internal sealed class SpacedDecoder : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : ITokenSink
    {
        private string _space = "";

        public void Append(TokenPart part)
        {
            next.Append(part.First ? part with { Text = _space + part.Text } : part);
            _space = " ";
        }

        public void End() => next.End();
    }
}
