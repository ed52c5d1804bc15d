using System.Text;

namespace RetNet.Vulkan.Text.Decoders;

/// <summary>The end of the chain: the tokens' text.</summary>
internal sealed class TextSink : ITokenSink
{
    private readonly StringBuilder _text = new();

    /// <inheritdoc/>
    public void Append(TokenPart part) => _text.Append(part.Text);

    /// <inheritdoc/>
    public void End()
    {
    }

    /// <summary>Returns what has come since the last call.</summary>
    public string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}
