namespace RetNet.Cli;

/// <summary>Standard output cannot be written.</summary>
internal sealed class OutputException(Exception cause) : CommandException($"standard output cannot be written: {cause.Message}", cause)
{
    private const int BrokenPipe = 32;
    private const int WindowsNoData = unchecked((int)0x800700E8);

    /// <summary>Whether the reader has gone, which is its way of saying that it has seen enough.</summary>
    public bool ReaderHasGone { get; } = cause is IOException { HResult: BrokenPipe or WindowsNoData };
}
