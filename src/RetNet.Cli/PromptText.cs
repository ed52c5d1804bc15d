namespace RetNet.Cli;

/// <summary>Where a prompt comes from.</summary>
internal static class PromptText
{
    /// <summary>The prompt given, or read from standard input (<c>-</c>) or from a file; a line break at the end of these is the editor's, not the text's.</summary>
    public static string Read(string? prompt, string? file)
    {
        if (prompt is not null && file is not null)
            throw new UsageException("give a prompt or --file, not both");
        return file is not null ? WithoutLastLineBreak(TextFiles.Read(file))
            : prompt == "-" ? WithoutLastLineBreak(Terminal.ReadInput())
            : prompt ?? "";
    }

    private static string WithoutLastLineBreak(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
}
