namespace RetNet.Cli;

/// <summary>A verb of the command line; its properties are its options.</summary>
internal interface ICommand
{
    /// <summary>Does it.</summary>
    /// <returns>The exit code.</returns>
    int Run(Terminal terminal);
}
