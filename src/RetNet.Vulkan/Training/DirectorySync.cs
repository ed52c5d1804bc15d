using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Training;

/// <summary>
/// Brings a directory's entries to the disk, which Linux and macOS do not do with the files' own data and .NET has no call
/// for. Windows journals them.
/// </summary>
internal static partial class DirectorySync
{
    private const int ReadOnly = 0;

    /// <summary>Waits until the names in a directory are on the disk; where the file system does not know how, does nothing.</summary>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var directory = Open(path, ReadOnly);
        if (directory < 0)
            return;
        _ = Sync(directory);
        _ = Close(directory);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
