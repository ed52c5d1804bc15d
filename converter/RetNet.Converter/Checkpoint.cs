using System.Text.Json;

namespace RetNet.Converter;

/// <summary>A training framework's model: weights in one or more files, settings in config.json beside them.</summary>
public sealed class Checkpoint : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    private readonly List<WeightFile> _files = [];
    private readonly Dictionary<string, CheckpointTensor> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string path)
    {
        Path = path;
        Folder = Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        Files = FindFiles();
        Config = JsonFile.Open(System.IO.Path.Combine(Folder, "config.json"));
    }

    /// <summary>What was opened: a folder or one weight file.</summary>
    public string Path { get; }

    /// <summary>The folder of config.json and the tokenizer.</summary>
    public string Folder { get; }

    /// <summary>The weight files.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>config.json.</summary>
    public JsonFile Config { get; }

    /// <summary>Tensors of all files by name.</summary>
    public IReadOnlyDictionary<string, CheckpointTensor> Tensors => _tensors;

    /// <summary>Size of the weight files in bytes.</summary>
    public long Bytes => _files.Sum(file => file.Length);

    /// <summary>Opens a folder with config.json and safetensors, whole or sharded, or one safetensors file beside its config.json.</summary>
    /// <exception cref="ConverterException">A file is missing, damaged or of a kind that is not read.</exception>
    public static Checkpoint Open(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path))
            throw new ConverterException(path, "no such file or folder");
        var checkpoint = new Checkpoint(path);
        try
        {
            checkpoint.OpenFiles();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Closes all files; tensors die.</summary>
    public void Dispose()
    {
        foreach (WeightFile file in _files)
            file.Dispose();
        Config.Dispose();
    }

    private string[] FindFiles()
    {
        if (!Directory.Exists(Path))
            return [Path];
        if (File.Exists(InFolder(SingleFile)))
            return [InFolder(SingleFile)];
        if (File.Exists(InFolder(IndexFile)))
            return [.. ReadIndex().Select(entry => InFolder(entry.File)).Distinct(StringComparer.Ordinal)];
        string? other = Directory.EnumerateFiles(Folder).FirstOrDefault(
            file => System.IO.Path.GetExtension(file) is ".pt" or ".pth" or ".bin" or ".ckpt");
        throw new ConverterException(Path, other is null
            ? $"holds no weights: neither {SingleFile} nor {IndexFile} is there"
            : $"holds '{System.IO.Path.GetFileName(other)}' but no {SingleFile}; save the weights as safetensors");
    }

    private void OpenFiles()
    {
        foreach (string path in Files)
        {
            WeightFile file = WeightFile.Open(path);
            _files.Add(file);
            foreach (CheckpointTensor tensor in file.Tensors.Values)
            {
                if (!_tensors.TryAdd(tensor.Name, tensor))
                    throw new ConverterException(path, $"has the tensor '{tensor.Name}', which {System.IO.Path.GetFileName(_tensors[tensor.Name].Path)} has too");
            }
        }

        if (Directory.Exists(Path) && !File.Exists(InFolder(SingleFile)))
            RequireIndexed();
    }

    private void RequireIndexed()
    {
        foreach ((string name, string file) in ReadIndex())
        {
            if (!_tensors.TryGetValue(name, out CheckpointTensor? tensor) || tensor.Path != InFolder(file))
                throw new ConverterException(InFolder(file), $"lacks the tensor '{name}' that {IndexFile} lists; fetch it again");
        }
    }

    private List<(string Tensor, string File)> ReadIndex()
    {
        using JsonFile index = JsonFile.Open(InFolder(IndexFile));
        if (index.Find("weight_map") is not { ValueKind: JsonValueKind.Object } map)
            throw new ConverterException(index.Path, "has no 'weight_map'; fetch it again");
        var entries = new List<(string, string)>();
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            string tensor = index.Name(entry);
            string file = entry.Value.ValueKind == JsonValueKind.String ? index.Text(tensor, entry.Value) : "";
            if (file.Length == 0 || file != System.IO.Path.GetFileName(file))
                throw index.Wrong(tensor, entry.Value, "the name of a file in the same folder");
            entries.Add((tensor, file));
        }

        return entries.Count > 0 ? entries : throw new ConverterException(index.Path, "lists no tensors; fetch it again");
    }

    private string InFolder(string name) => System.IO.Path.Combine(Folder, name);
}
