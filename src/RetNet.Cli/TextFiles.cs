using System.Text;

namespace RetNet.Cli;

/// <summary>Text that commands read.</summary>
internal static class TextFiles
{
    /// <summary>A whole UTF-8 file.</summary>
    /// <exception cref="CommandException">It is not there or cannot be read.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path))
            throw new CommandException($"{path}: is a directory, not a text file");
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
}
