using System.Text;

namespace RetNet.Converter;

/// <summary>A checkpoint that cannot be converted. The message is one line: file, what is wrong, where, what to do.</summary>
public sealed class ConverterException : Exception
{
    /// <summary>An error about <paramref name="path"/>, a file or folder.</summary>
    public ConverterException(string path, string problem, Exception? inner = null)
        : base(OneLine($"{path}: {problem}"), inner)
    {
        Path = path;
    }

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    // Names come from the checkpoint, which may hold anything: no control character reaches the terminal.
    private static string OneLine(string message)
    {
        var line = new StringBuilder(message.Length);
        foreach (char c in message)
            line.Append(char.IsControl(c) ? '\uFFFD' : c);
        return line.ToString();
    }
}
