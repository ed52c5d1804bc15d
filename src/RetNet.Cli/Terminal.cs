using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RetNet.Cli;

/// <summary>The program's standard streams: UTF-8 without byte order mark whatever the locale.</summary>
internal sealed class Terminal : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Results only; not flushed by itself.</summary>
    public TextWriter Out { get; } = new StreamWriter(new OutputStream(OpenOutput()), Utf8) { NewLine = "\n" };

    /// <summary>Everything else; any thread may write.</summary>
    public TextWriter Error { get; } = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true, NewLine = "\n" });

    /// <summary>Whether a person may be watching stderr.</summary>
    public static bool ErrorIsTerminal => !Console.IsErrorRedirected;

    /// <summary>All of standard input as text.</summary>
    public static string ReadInput()
    {
        using var reader = new StreamReader(Console.OpenStandardInput(), Utf8);
        return reader.ReadToEnd();
    }

    public void Dispose()
    {
        try
        {
            Out.Dispose();
        }
        catch (OutputException)
        {
            // What matters was flushed before, and whoever wrote it was told.
        }

        Error.Dispose();
    }

    /// <summary>.NET's console stream takes a closed pipe for success; a file stream tells.</summary>
    private static Stream OpenOutput()
    {
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        try
        {
            var stream = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            // A file's position is shared with other processes, which only the console stream respects.
            return stream.CanSeek ? Console.OpenStandardOutput() : stream;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Console.OpenStandardOutput();
        }
    }
}
