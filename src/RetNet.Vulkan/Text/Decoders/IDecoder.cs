namespace RetNet.Vulkan.Text.Decoders;

/// <summary>
/// A step from tokens to text. Hugging Face's decoders map a list of tokens to another list, whose strings joined are
/// the text; here the lists are streams, so that text comes out as soon as it is certain. Immutable.
/// </summary>
internal interface IDecoder
{
    /// <summary>Starts a new text: what is appended to the result comes out at <paramref name="next"/>.</summary>
    ITokenSink Start(ITokenSink next);
}
