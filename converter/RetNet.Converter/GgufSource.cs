using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Converter;

/// <summary>A model that is GGUF already, to be written in a smaller type. Its metadata are kept.</summary>
internal sealed class GgufSource : IModelSource
{
    // The converter writes its own; the writer aligns to the default.
    private static readonly string[] Rewritten =
        ["general.architecture", "general.name", "general.file_type", "general.quantization_version", "general.alignment"];

    private readonly GgufFile _file;
    private readonly MappedFile _data;

    /// <exception cref="GgufException">The file is damaged, or no RetNet.</exception>
    /// <exception cref="ConverterException">The file is quantised.</exception>
    public GgufSource(string path)
    {
        _file = GgufFile.Open(path);
        try
        {
            Config = RetNetGguf.ReadConfig(_file);
            TensorShapes.Validate(_file, Config);
            RequireUnquantized(_file);
            _data = new MappedFile(path);
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        Tensors = [.. _file.Tensors.Values.Select(Canonical)];
    }

    public RetNetConfig Config { get; }

    public IReadOnlyList<CanonicalTensor> Tensors { get; }

    public IEnumerable<string> Files => [_file.Path];

    public long Bytes => _file.Length;

    public bool HasTokenizer => _file.Metadata.ContainsKey("tokenizer.huggingface.json");

    public IReadOnlyList<string> Notes => [];

    /// <summary>Whether <paramref name="path"/> is a GGUF file, by what it starts with, or means to be one, by its name.</summary>
    public static bool IsGguf(string path)
    {
        if (!File.Exists(path))
            return false;
        if (Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            using var file = File.OpenHandle(path);
            Span<byte> start = stackalloc byte[4];
            return RandomAccess.Read(file, start, 0) == start.Length && start.SequenceEqual("GGUF"u8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConverterException(path, $"cannot be read: {e.Message}", e);
        }
    }

    public void WriteMetadata(GgufWriter writer)
    {
        foreach ((string key, object value) in _file.Metadata)
        {
            if (!Rewritten.Contains(key) && !key.StartsWith("retnet.", StringComparison.Ordinal))
                writer.AddValue(key, value);
        }
    }

    public void Dispose()
    {
        _data.Dispose();
        _file.Dispose();
    }

    private static void RequireUnquantized(GgufFile file)
    {
        if (file.Tensors.Values.FirstOrDefault(tensor => tensor.Type.IsQuantized) is { } tensor)
            throw new ConverterException(file.Path, $"is quantised already (tensor '{tensor.Name}' is {tensor.Type}) and a second time would add up the errors; convert the checkpoint, or a file in f32, f16 or bf16");
    }

    private CanonicalTensor Canonical(GgufTensor tensor) => new(
        new TensorShape(tensor.Name, tensor.Dimensions, Required: true),
        new CheckpointTensor(_file.Path, tensor.Name, tensor.Type.Name.ToUpperInvariant(), tensor.Type.Bytes, [.. tensor.Dimensions.Reverse()], _data, tensor.Offset));
}
