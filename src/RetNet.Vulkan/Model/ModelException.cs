namespace RetNet.Vulkan.Model;

/// <summary>A model that this program reads but cannot run; the message is one line for people.</summary>
public sealed class ModelException : Exception
{
    /// <summary>Creates the exception with its one-line message.</summary>
    public ModelException(string message)
        : base(message)
    {
    }
}
