using System.Globalization;

namespace RetNet.Vulkan.Training;

/// <summary>
/// The folder of a run: a folder <c>step-000500</c> a checkpoint. A checkpoint is written under another name and renamed when
/// all of it is on the disk, so what has the name is whole. While this lives, no other run writes there.
/// </summary>
public sealed class CheckpointFolder : IDisposable
{
    private const string Prefix = "step-";
    private const string Part = ".part";

    private readonly string _path;
    private readonly FileStream _lock;

    private CheckpointFolder(string path, FileStream @lock) => (_path, _lock) = (path, @lock);

    /// <summary>The newest checkpoint's folder; null where there is none.</summary>
    public string? Latest => LatestIn(_path);

    /// <summary>Makes the folder where it is missing, and clears away what a run that was killed left half written.</summary>
    /// <exception cref="TrainingException">It cannot be made or written, or another run writes there.</exception>
    public static CheckpointFolder Open(string path) => OnFiles(path, () =>
    {
        Directory.CreateDirectory(path);
        var folder = new CheckpointFolder(path, Lock(path));
        foreach (var part in Directory.EnumerateDirectories(path, $"{Prefix}*{Part}"))
            Directory.Delete(part, recursive: true);
        return folder;
    });

    /// <summary>The newest checkpoint of a folder that need not exist.</summary>
    /// <exception cref="TrainingException">The folder cannot be read.</exception>
    public static string? LatestIn(string path) => OnFiles(path, () => Checkpoints(path).LastOrDefault().Path);

    /// <summary>Writes a checkpoint; one of the same step is replaced.</summary>
    /// <param name="step">The step.</param>
    /// <param name="write">Writes all files into the folder that it is given.</param>
    /// <returns>The checkpoint's path.</returns>
    /// <exception cref="TrainingException">It cannot be written; nothing is left of it.</exception>
    public string Save(int step, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var target = Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:000000}"));
        var part = target + Part;
        try
        {
            return OnFiles(target, () =>
            {
                Directory.CreateDirectory(part);
                write(part);
                DirectorySync.Flush(part);
                Remove(target);
                Directory.Move(part, target);
                DirectorySync.Flush(_path);
                return target;
            });
        }
        catch
        {
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
            throw;
        }
    }

    /// <summary>Deletes all checkpoints but the newest.</summary>
    public void Keep(int count) => OnFiles(_path, () =>
    {
        foreach (var (_, path) in Checkpoints(_path).SkipLast(count))
            Remove(path);
        return 0;
    });

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static IEnumerable<(int Step, string Path)> Checkpoints(string path) => !Directory.Exists(path) ? [] :
        Directory.EnumerateDirectories(path, Prefix + "*")
            .Select(folder => (Step: int.TryParse(Path.GetFileName(folder).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1, Path: folder))
            .Where(checkpoint => checkpoint.Step >= 0)
            .OrderBy(checkpoint => checkpoint.Step);

    /// <summary>Takes the name away first, so that half a checkpoint never has it.</summary>
    private static void Remove(string checkpoint)
    {
        if (!Directory.Exists(checkpoint))
            return;
        var removed = checkpoint + ".old" + Part;
        Directory.Move(checkpoint, removed);
        Directory.Delete(removed, recursive: true);
    }

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(Path.Combine(path, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            throw new TrainingException($"{path}: another run is writing here; wait for it, or name another folder", e);
        }
    }

    private static T OnFiles<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TrainingException($"{path}: cannot be written: {e.Message}", e);
        }
    }
}
