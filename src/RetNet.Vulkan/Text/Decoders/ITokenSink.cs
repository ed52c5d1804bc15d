namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Where a stream of tokens goes.</summary>
internal interface ITokenSink
{
    /// <summary>Takes the next token, or part of one.</summary>
    void Append(TokenPart part);

    /// <summary>No token follows.</summary>
    void End();
}
