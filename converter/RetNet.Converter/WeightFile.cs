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
    public static WeightFile Open(string path) => Open<WeightFile>(path, file => IsZip(file) ? new TorchFile(path, file)
        : IsLegacyTorch(file) ? throw new ConverterException(path, "is in PyTorch's format before 1.6; load it and save it again with torch.save")
        : new SafeTensorsFile(path, file));

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

    private static bool IsZip(MappedFile file) => Starts(file, "PK\x3\x4"u8);

    // The pickled number 0x1950a86a20f9469cfc6c (torch/serialization.py, MAGIC_NUMBER), with which that format begins.
    private static bool IsLegacyTorch(MappedFile file) => Starts(file, [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]);

    private static bool Starts(MappedFile file, ReadOnlySpan<byte> magic) => file.Length >= magic.Length && file.Span(0, magic.Length).SequenceEqual(magic);

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
