using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>A mapped file of named tensors. Spans and tensors die with it.</summary>
public abstract class WeightFile : IDisposable
{
    private protected WeightFile(string path, MappedFile file) => (Path, File) = (path, file);

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>Tensors by name.</summary>
    public IReadOnlyDictionary<string, CheckpointTensor> Tensors => TensorsByName;

    /// <summary>Size in bytes.</summary>
    public long Length => File.Length;

    private protected MappedFile File { get; }

    private protected Dictionary<string, CheckpointTensor> TensorsByName { get; } = new(StringComparer.Ordinal);

    /// <summary>Maps <paramref name="path"/>, of whichever container, and reads what it holds. The first bytes tell, not the name.</summary>
    /// <exception cref="ConverterException">The file is missing, of no container that is read, damaged or truncated.</exception>
    public static WeightFile Open(string path) => Open<WeightFile>(path, file => new SafeTensorsFile(path, file));

    /// <summary>The model's settings where the container carries them, else null. The caller disposes of them.</summary>
    public virtual JsonFile? OpenSettings() => null;

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        File.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static T Open<T>(string path, Func<MappedFile, T> read)
        where T : WeightFile
    {
        MappedFile file = Map(path);
        try
        {
            return read(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private protected ConverterException Error(string problem) => new(Path, problem);

    private static MappedFile Map(string path)
    {
        if (!System.IO.File.Exists(path))
            throw new ConverterException(path, "no such file");
        try
        {
            return new MappedFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConverterException(path, $"cannot be read: {e.Message}", e);
        }
    }
}
