namespace RetNet.Vulkan.Text.Decoders;

/// <summary>Gives a stream of text on as one token.</summary>
internal sealed class JoinedToken(ITokenSink next)
{
    private bool _started;

    /// <summary>Goes on with the token.</summary>
    public void Append(string text)
    {
        if (text.Length == 0)
            return;
        next.Append(new TokenPart(text, First: !_started, Last: false));
        _started = true;
    }

    /// <summary>Ends the token and the stream.</summary>
    public void End()
    {
        next.Append(new TokenPart("", First: !_started, Last: true));
        next.End();
    }
}
