namespace RetNet.Cli.Tests;

/// <summary>What a run of the program gave.</summary>
internal sealed record CliResult(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => System.Text.Encoding.UTF8.GetString(OutputBytes);
}
