using System.Buffers.Binary;
using System.Text.Json;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>
/// A safetensors file (huggingface/safetensors, README "Format"): a 64-bit header length, a JSON header of names,
/// types, shapes and offsets, then the data. The data are mapped; spans and tensors die with the file.
/// </summary>
public sealed class SafeTensorsFile : WeightFile
{
    // The limit of the reference implementation.
    private const int LongestHeader = 100_000_000;
    private const string MetadataKey = "__metadata__";

    private readonly List<(long Begin, long End, string Name)> _ranges = [];

    internal SafeTensorsFile(string path, MappedFile file)
        : base(path, file)
    {
        int headerLength = ReadHeaderLength();
        ReadHeader(sizeof(ulong), headerLength);
        RequireOrder();
        RequireData(file.Length - sizeof(ulong) - headerLength);
    }

    /// <summary>Maps <paramref name="path"/> and reads its header.</summary>
    /// <exception cref="ConverterException">The file is missing, no safetensors, damaged or truncated.</exception>
    public static new SafeTensorsFile Open(string path) => Open(path, file => new SafeTensorsFile(path, file));

    private int ReadHeaderLength()
    {
        if (File.Length < sizeof(ulong))
            throw Error($"has {File.Length} bytes, a safetensors file has at least {sizeof(ulong)}; fetch it again");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(File.Span(0, sizeof(ulong)));
        if (length > LongestHeader)
            throw Error($"is not a safetensors file: it announces a header of {length} bytes, the format allows {LongestHeader}");
        if ((long)length > File.Length - sizeof(ulong))
            throw Error($"ends inside its header: {(long)length + sizeof(ulong) - File.Length} bytes are missing; it is truncated, fetch it again");
        return (int)length;
    }

    private void ReadHeader(long start, int length)
    {
        try
        {
            using JsonDocument header = JsonDocument.Parse(File.Span(start, length).ToArray());
            if (header.RootElement.ValueKind != JsonValueKind.Object)
                throw Error("has a header that is no JSON object; it is damaged, fetch it again");
            foreach (JsonProperty entry in header.RootElement.EnumerateObject())
            {
                if (entry.Name != MetadataKey)
                    AddTensor(entry.Name, entry.Value, start + length);
            }
        }
        catch (JsonException e)
        {
            // Its own message may quote the whole rest of the header.
            throw new ConverterException(Path, $"has a damaged header, no valid JSON at byte {e.BytePositionInLine + 1}; fetch it again", e);
        }
        catch (InvalidOperationException e)
        {
            // A string with a broken surrogate escape is valid JSON but no text.
            throw new ConverterException(Path, "has a damaged header, a string in it is not valid Unicode; fetch it again", e);
        }
    }

    private void AddTensor(string name, JsonElement entry, long dataStart)
    {
        string dataType = Field(name, entry, "dtype", JsonValueKind.String).GetString()!;
        long[] shape = Numbers(name, entry, "shape");
        long[] offsets = Numbers(name, entry, "data_offsets");
        if (offsets is not [long begin, long end] || begin > end)
            throw Error($"tensor '{name}' has no begin and end in 'data_offsets'; the file is damaged, fetch it again");
        if (end - begin != Size(name, dataType, shape))
            throw Error($"tensor '{name}' takes {end - begin} bytes, but {dataType} {GgufTensor.FormatShape(shape)} takes {Size(name, dataType, shape)}; the file is damaged, fetch it again");
        if (!TensorsByName.TryAdd(name, new CheckpointTensor(Path, name, dataType, ElementBytes(name, dataType), shape, File, dataStart + begin)))
            throw Error($"has the tensor '{name}' twice; it is damaged, fetch it again");
        _ranges.Add((begin, end, name));
    }

    private void RequireData(long available)
    {
        if (_ranges.Count > 0 && _ranges.Max(range => range.End) - available is > 0 and long missing)
            throw Error($"ends inside the data of its tensors: {missing} bytes are missing; it is truncated, fetch it again");
    }

    private void RequireOrder()
    {
        _ranges.Sort();
        for (int i = 1; i < _ranges.Count; i++)
        {
            if (_ranges[i].Begin < _ranges[i - 1].End)
                throw Error($"tensors '{_ranges[i - 1].Name}' and '{_ranges[i].Name}' overlap; the file is damaged, fetch it again");
        }
    }

    private JsonElement Field(string tensor, JsonElement entry, string name, JsonValueKind kind) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == kind
            ? value
            : throw Error($"tensor '{tensor}' has no valid '{name}'; the file is damaged, fetch it again");

    private long[] Numbers(string tensor, JsonElement entry, string name)
    {
        JsonElement list = Field(tensor, entry, name, JsonValueKind.Array);
        var numbers = new long[list.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out numbers[i++]) || numbers[i - 1] < 0)
                throw Error($"tensor '{tensor}' has {item.GetRawText()} in '{name}'; the file is damaged, fetch it again");
        }

        return numbers;
    }

    private int ElementBytes(string tensor, string dataType) => dataType switch
    {
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" => 1,
        "U16" or "I16" or "F16" or "BF16" => 2,
        "U32" or "I32" or "F32" => 4,
        "U64" or "I64" or "F64" => 8,
        _ => throw Error($"tensor '{tensor}' is of the unknown type {dataType}; save the checkpoint in F32, F16 or BF16"),
    };

    private long Size(string tensor, string dataType, long[] shape)
    {
        try
        {
            return shape.Aggregate((long)ElementBytes(tensor, dataType), (product, n) => checked(product * n));
        }
        catch (OverflowException e)
        {
            throw new ConverterException(Path, $"tensor '{tensor}' has the impossible size {GgufTensor.FormatShape(shape)}; the file is damaged, fetch it again", e);
        }
    }
}
