namespace RetNet.Vulkan.Text;

/// <summary>A <c>tokenizer.json</c> that is malformed, or that needs a component this library does not have.</summary>
/// <remarks>The message is one line that says what was found and where in the file.</remarks>
public sealed class TokenizerException : Exception
{
    /// <summary>Creates the exception with its one-line message.</summary>
    public TokenizerException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its one-line message and the exception behind it.</summary>
    public TokenizerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
