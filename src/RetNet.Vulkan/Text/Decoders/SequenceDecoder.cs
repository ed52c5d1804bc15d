namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Each decoder takes what the one before gives; without any, tokens are joined as they are.</summary>
internal sealed class SequenceDecoder(IDecoder[] decoders) : IDecoder
{
    /// <inheritdoc/>
    public ITokenSink Start(ITokenSink next) =>
        decoders.Reverse().Aggregate(next, (sink, decoder) => decoder.Start(sink));
}
