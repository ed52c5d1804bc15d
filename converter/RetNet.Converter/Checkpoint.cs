using System.Text.Json;

namespace RetNet.Converter;

/// <summary>A training framework's model: weights in one or more files, settings in config.json beside them.</summary>
public sealed class Checkpoint : IDisposable
{
    private const string ConfigFile = "config.json";

    // In the order in which they are looked for. safetensors first: a folder may hold the same weights in both.
    private static readonly string[] UsualNames = ["model.safetensors", "pytorch_model.bin"];
    private static readonly string[] Extensions = [".safetensors", ".pt", ".pth", ".bin", ".ckpt"];

    private readonly List<WeightFile> _files = [];
    private readonly Dictionary<string, CheckpointTensor> _tensors = new(StringComparer.Ordinal);

    private readonly Func<string, bool> _select;

    private Checkpoint(string path, Func<string, bool> select)
    {
        (Path, _select) = (path, select);
        Folder = Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        (Files, IndexFile) = FindFiles();
    }

    /// <summary>What was opened: a folder or one weight file.</summary>
    public string Path { get; }

    /// <summary>The folder of config.json and the tokenizer.</summary>
    public string Folder { get; }

    /// <summary>The weight files.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>config.json, or the settings that a weight file carries where there is none.</summary>
    public JsonFile Config { get; private set; } = null!;

    /// <summary>Tensors of all files by name.</summary>
    public IReadOnlyDictionary<string, CheckpointTensor> Tensors => _tensors;

    /// <summary>Size of the weight files in bytes.</summary>
    public long Bytes => _files.Sum(file => file.Length);

    private string? IndexFile { get; }

    /// <summary>
    /// Opens a folder with config.json and weights, or one weight file beside its config.json. Weights are safetensors or what
    /// torch.save writes, whole or sharded; a fairseq checkpoint needs no config.json.
    /// </summary>
    /// <param name="path">The folder or the file.</param>
    /// <param name="select">Which tensors belong to the model, by name; null takes all.</param>
    /// <exception cref="ConverterException">A file is missing, damaged or of a kind that is not read.</exception>
    public static Checkpoint Open(string path, Func<string, bool>? select = null)
    {
        if (!Directory.Exists(path) && !File.Exists(path))
            throw new ConverterException(path, "no such file or folder");
        var checkpoint = new Checkpoint(path, select ?? (_ => true));
        try
        {
            checkpoint.OpenFiles();
            checkpoint.Config = checkpoint.OpenConfig();
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
        Config?.Dispose();
    }

    private (IReadOnlyList<string> Files, string? IndexFile) FindFiles()
    {
        if (!Directory.Exists(Path))
            return ([Path], null);
        foreach (string name in UsualNames)
        {
            string index = InFolder(name + ".index.json");
            if (File.Exists(InFolder(name)))
                return ([InFolder(name)], null);
            if (File.Exists(index))
                return ([.. ReadIndex(index).Select(entry => InFolder(entry.File)).Distinct(StringComparer.Ordinal)], index);
        }

        string[] others = [.. Directory.EnumerateFiles(Folder).Where(file => Extensions.Contains(System.IO.Path.GetExtension(file))).Order(StringComparer.Ordinal)];
        return others switch
        {
            [string only] => ([only], null),
            [] => throw new ConverterException(Path, $"holds no weights: neither {string.Join(" nor ", UsualNames)}, their index, nor any other file of {string.Join(", ", Extensions)} is there"),
            _ => throw new ConverterException(Path, $"holds several weight files ({string.Join(", ", others.Take(3).Select(System.IO.Path.GetFileName))}{(others.Length > 3 ? ", …" : "")}); name the one to convert"),
        };
    }

    private JsonFile OpenConfig()
    {
        if (JsonFile.OpenIfThere(InFolder(ConfigFile)) is { } config)
            return config;
        return _files.Select(file => file.OpenSettings()).FirstOrDefault(settings => settings is not null)
            ?? throw new ConverterException(InFolder(ConfigFile), "no such file, and the weights carry no settings ('cfg' or 'args') either; put the model's config.json there");
    }

    private void OpenFiles()
    {
        foreach (string path in Files)
        {
            WeightFile file = WeightFile.Open(path);
            _files.Add(file);
            foreach (CheckpointTensor tensor in file.Tensors.Values.Where(tensor => _select(tensor.Name)))
            {
                if (!_tensors.TryAdd(tensor.Name, tensor))
                    throw new ConverterException(path, $"has the tensor '{tensor.Name}', which {System.IO.Path.GetFileName(_tensors[tensor.Name].Path)} has too");
            }
        }

        if (IndexFile is not null)
            RequireIndexed(IndexFile);
    }

    private void RequireIndexed(string index)
    {
        foreach ((string name, string file) in ReadIndex(index))
        {
            if (!_tensors.TryGetValue(name, out CheckpointTensor? tensor) || tensor.Path != InFolder(file))
                throw new ConverterException(InFolder(file), $"lacks the tensor '{name}' that {System.IO.Path.GetFileName(index)} lists; fetch it again");
        }
    }

    private static List<(string Tensor, string File)> ReadIndex(string path)
    {
        using JsonFile index = JsonFile.Open(path);
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
