namespace RetNet.Cli;

/// <summary>A command line that asks for something that cannot be; the message is one line for people.</summary>
internal sealed class UsageException(string message) : CommandException(message);
