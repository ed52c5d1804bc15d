namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Joins all tokens to one.</summary>
internal sealed class FuseDecoder : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) => new Sink(next);

    private sealed class Sink(ITokenSink next) : ITokenSink
    {
        private readonly JoinedToken _token = new(next);

        public void Append(TokenPart part) => _token.Append(part.Text);

        public void End() => _token.End();
    }
}
