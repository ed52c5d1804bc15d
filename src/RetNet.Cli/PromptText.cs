using System.Text;

namespace RetNet.Cli;

/// <summary>Where a prompt comes from.</summary>
internal static class PromptText
{
    /// <summary>The prompt given, or read from standard input (<c>-</c>) or from a file; a line break at the end of these is the editor's, not the text's.</summary>
    public static string Read(string? prompt, string? file)
    {
        if (prompt is not null && file is not null)
            throw new UsageException("give a prompt or --file, not both");
        return file is not null ? WithoutLastLineBreak(ReadFile(file))
            : prompt == "-" ? WithoutLastLineBreak(Terminal.ReadInput())
            : prompt ?? "";
    }

    private static string ReadFile(string path)
    {
        if (Directory.Exists(path))
            throw new CommandException($"{path}: is a directory, not a prompt file");
        if (!File.Exists(path))
            throw new CommandException($"{path}: no such file");
        try
        {
            return File.ReadAllText(path, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static string WithoutLastLineBreak(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
