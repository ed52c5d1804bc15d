namespace RetNet.Vulkan.Training;

/// <summary>Training that cannot begin or go on; the message is one line for people.</summary>
public sealed class TrainingException : Exception
{
    /// <summary>Creates the exception with its one-line message.</summary>
    public TrainingException(string message, Exception? inner = null)
        : base(message.ReplaceLineEndings(" "), inner)
    {
    }
}
