namespace RetNet.Cli;

/// <summary>An error of a command; the message is one line for people.</summary>
internal class CommandException(string message, Exception? inner = null) : Exception(message, inner);
