using System.Collections.Frozen;
using System.Text.Json;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>
/// What torch.save writes since PyTorch 1.6 (torch/serialization.py): a zip archive of one pickle and of the storages that its tensors
/// lie in, which are mapped. Tensors are those of a state dict, by itself or under <c>model</c> or <c>state_dict</c>; fairseq adds
/// the settings as <c>cfg</c> or <c>args</c>.
/// </summary>
public sealed class TorchFile : WeightFile
{
    /// <summary>Storage classes: safetensors' name of the element type, and its bytes.</summary>
    internal static readonly FrozenDictionary<string, (string DataType, int Bytes)> StorageTypes = new Dictionary<string, (string, int)>
    {
        ["torch.FloatStorage"] = ("F32", 4),
        ["torch.HalfStorage"] = ("F16", 2),
        ["torch.BFloat16Storage"] = ("BF16", 2),
        ["torch.DoubleStorage"] = ("F64", 8),
        ["torch.LongStorage"] = ("I64", 8),
        ["torch.IntStorage"] = ("I32", 4),
        ["torch.ShortStorage"] = ("I16", 2),
        ["torch.CharStorage"] = ("I8", 1),
        ["torch.ByteStorage"] = ("U8", 1),
        ["torch.BoolStorage"] = ("BOOL", 1),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private const string PickleName = "data.pkl";
    private const int LargestPickle = 16 << 20;
    private const int MostDimensions = 16;

    private readonly IReadOnlyDictionary<string, (long Offset, long Length)> _entries;
    private readonly string _root;
    private readonly PickleDictionary _content;

    internal TorchFile(string path, MappedFile file)
        : base(path, file)
    {
        _entries = ZipDirectory.Read(path, file);
        _root = FindRoot();
        RequireLittleEndian();
        _content = ReadPickle() as PickleDictionary ?? throw Error("holds no state dict; re-save it with torch.save(model.state_dict())");
        PickleDictionary state = _content.Find("model") ?? _content.Find("state_dict") ?? _content;
        foreach ((string name, object? value) in state.Entries)
        {
            if (value is TorchTensor tensor)
                TensorsByName.Add(name, Map(name, tensor));
        }

        if (TensorsByName.Count == 0)
            throw Error("holds no tensors by name; re-save it with torch.save(model.state_dict())");
    }

    /// <inheritdoc/>
    public override JsonFile? OpenSettings()
    {
        PickleDictionary? cfg = _content.Find("cfg");
        foreach ((string name, PickleDictionary? settings) in new[] { ("'cfg.model'", cfg?.Find("model")), ("'args'", _content.Find("args")), ("'cfg'", cfg) })
        {
            if (settings?.Entries.Count > 0)
                return JsonFile.Parse(Path, name, ToJson(settings));
        }

        return null;
    }

    /// <summary>Entries that are numbers, truth values or text; what is made of others is no setting of a model.</summary>
    private static byte[] ToJson(PickleDictionary settings)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach ((string key, object? value) in settings.Entries)
            {
                switch (value)
                {
                    case bool truth: writer.WriteBoolean(key, truth); break;
                    case long number: writer.WriteNumber(key, number); break;
                    case double number when double.IsFinite(number): writer.WriteNumber(key, number); break;
                    case string text: writer.WriteString(key, text); break;
                }
            }

            writer.WriteEndObject();
        }

        return json.ToArray();
    }

    /// <summary>What stands before every entry's name: the archive's own name, whatever the file is called now.</summary>
    private string FindRoot()
    {
        string? pickle = _entries.Keys.FirstOrDefault(name => name.EndsWith("/" + PickleName, StringComparison.Ordinal) && name.Count(c => c == '/') == 1);
        if (pickle is null)
            throw Error($"is a zip archive without {PickleName}, not what torch.save writes");
        string root = pickle[..^PickleName.Length];
        return _entries.ContainsKey(root + "constants.pkl")
            ? throw Error("is a TorchScript module; re-save it with torch.save(model.state_dict())")
            : root;
    }

    private void RequireLittleEndian()
    {
        if (_entries.TryGetValue(_root + "byteorder", out (long Offset, long Length) entry)
            && !(entry.Length == "little".Length && File.Span(entry.Offset, "little".Length).SequenceEqual("little"u8)))
            throw Error("was saved on a big-endian machine; re-save it on a little-endian one");
    }

    private object? ReadPickle()
    {
        (long offset, long length) = _entries[_root + PickleName];
        if (length > LargestPickle)
            throw Error($"has a pickle of {length} bytes, the largest that is read has {LargestPickle}; re-save it with torch.save(model.state_dict())");
        return PickleReader.Read(Path, File.Span(offset, (int)length));
    }

    private CheckpointTensor Map(string name, TorchTensor tensor)
    {
        (string dataType, int elementBytes) = StorageTypes[tensor.Storage.Type];
        if (!_entries.TryGetValue($"{_root}data/{tensor.Storage.Key}", out (long Offset, long Length) entry))
            throw Error($"lacks the data of tensor '{name}'; it is damaged, fetch it again");
        if (tensor.Storage.Elements > entry.Length / elementBytes)
            throw Error($"holds {entry.Length} bytes for tensor '{name}', but it takes {tensor.Storage.Elements} elements of {dataType}; it is damaged, fetch it again");
        RequireInside(name, tensor);
        var layout = new TensorLayout(tensor.Start, tensor.Sizes, tensor.Strides);
        return new CheckpointTensor(Path, name, dataType, elementBytes, tensor.Sizes, File, entry.Offset, layout);
    }

    /// <summary>Checks that every element lies in the storage, and that a tensor has no more elements than its storage.</summary>
    private void RequireInside(string name, TorchTensor tensor)
    {
        bool isSound = tensor.Sizes.Count == tensor.Strides.Count && tensor.Sizes.Count <= MostDimensions
            && tensor.Start >= 0 && tensor.Sizes.All(size => size >= 0) && tensor.Strides.All(stride => stride >= 0);
        Int128 elements = 1;
        Int128 last = tensor.Start;
        for (int i = 0; isSound && i < tensor.Sizes.Count; i++)
        {
            elements *= tensor.Sizes[i];
            last += (Int128)Math.Max(0, tensor.Sizes[i] - 1) * tensor.Strides[i];
            isSound = elements <= tensor.Storage.Elements;
        }

        if (!isSound || (elements > 0 && last >= tensor.Storage.Elements))
            throw Error($"tensor '{name}' {GgufTensor.FormatShape(tensor.Sizes.Take(MostDimensions))} does not lie inside its storage of {tensor.Storage.Elements} elements; save it with tensor.contiguous(), or fetch the file again");
    }
}
