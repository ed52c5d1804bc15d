using System.Text;

namespace RetNet.Vulkan.Gguf;

/// <summary>A file that cannot be read or written as GGUF. The message is one line: file, what is wrong, where, what to do.</summary>
public sealed class GgufException : Exception
{
    /// <summary>An error about <paramref name="file"/>.</summary>
    public GgufException(string file, string problem, Exception? inner = null)
        : base(OneLine($"{file}: {problem}"), inner)
    {
        File = file;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    // Names come from the file itself, which may hold anything: no control character reaches the terminal.
    private static string OneLine(string message)
    {
        var line = new StringBuilder(message.Length);
        foreach (char c in message)
            line.Append(char.IsControl(c) ? '\uFFFD' : c);
        return line.ToString();
    }
}
