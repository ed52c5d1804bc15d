namespace RetNet.Cli;

/// <summary>What the program returns.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>It could not do what it was asked for; one line on stderr says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl+C, as shells count it: 128 + SIGINT. llama.cpp returns the same.</summary>
    public const int Interrupted = 130;
}
