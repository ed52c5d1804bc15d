using System.Text;

namespace RetNet.Bench;

/// <summary>Text files that appear when they are complete.</summary>
public static class OutputFile
{
    /// <summary>Refuses a path that cannot be written, before anything is measured.</summary>
    /// <exception cref="IOException">Its folder does not exist or does not let files be made.</exception>
    public static void RequireWritable(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path}: cannot be written: it is a folder");
        WritePart(path, "");
        File.Delete(Part(path));
    }

    /// <summary>Writes a file beside its place and renames it.</summary>
    /// <exception cref="IOException">It cannot be written; the message begins with the path.</exception>
    public static void Write(string path, string text)
    {
        WritePart(path, text);
        try
        {
            File.Move(Part(path), path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(Part(path));
            throw Unwritable(path, e);
        }
    }

    private static string Part(string path) => $"{path}.{Environment.ProcessId}.part";

    private static void WritePart(string path, string text)
    {
        try
        {
            using var stream = File.Create(Part(path));
            stream.Write(new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Unwritable(path, e);
        }
    }

    private static IOException Unwritable(string path, Exception cause) =>
        new($"{path}: cannot be written: {(cause is DirectoryNotFoundException ? "its folder does not exist; create it first" : cause.Message.ReplaceLineEndings(" "))}", cause);
}
