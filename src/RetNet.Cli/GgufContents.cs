using System.Globalization;
using System.Text.Json;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>What there is to say about a GGUF file.</summary>
internal sealed class GgufContents
{
    public GgufContents(GgufFile file)
    {
        File = file;
        Architecture = file.TryGet("general.architecture", out string? architecture) ? architecture : null;
        Parameters = file.Tensors.Values.Sum(tensor => tensor.Elements);
        MainType = file.Tensors.Values.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => (decimal)tensor.Elements))?.Key;
        try
        {
            TensorShapes.Validate(file, RetNetGguf.ReadConfig(file));
        }
        catch (GgufException e)
        {
            Problem = e.Message;
        }
    }

    public GgufFile File { get; }

    public string? Architecture { get; }

    public long Parameters { get; }

    /// <summary>The type of most weights.</summary>
    public BlockType? MainType { get; }

    /// <summary>Why the file is no model that this program runs, if it is none.</summary>
    public string? Problem { get; }

    /// <summary>Whether a matrix is of another type than most weights; vectors always are.</summary>
    public bool Deviates(GgufTensor tensor) => tensor.Rows > 1 && tensor.Type != MainType;

    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("file", File.Path);
        writer.WriteNumber("bytes", File.Length);
        writer.WriteNumber("version", File.Version);
        writer.WriteNumber("alignment", File.Alignment);
        writer.WriteString("architecture", Architecture);
        writer.WriteNumber("parameters", Parameters);
        writer.WriteString("mainType", MainType?.Name);
        writer.WriteString("problem", Problem);
        writer.WriteStartObject("metadata");
        foreach (var (key, value) in File.Metadata)
        {
            writer.WritePropertyName(key);
            WriteValue(writer, value);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("tensors");
        foreach (var tensor in File.Tensors.Values)
            WriteTensor(writer, tensor);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteTensor(Utf8JsonWriter writer, GgufTensor tensor)
    {
        writer.WriteStartObject();
        writer.WriteString("name", tensor.Name);
        writer.WriteStartArray("shape");
        foreach (var dimension in tensor.Dimensions)
            writer.WriteNumberValue(dimension);
        writer.WriteEndArray();
        writer.WriteString("type", tensor.Type.Name);
        writer.WriteNumber("offset", tensor.Offset);
        writer.WriteNumber("bytes", tensor.Bytes);
        writer.WriteBoolean("deviates", Deviates(tensor));
        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case string text: writer.WriteStringValue(text); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case Array array:
                writer.WriteStartArray();
                foreach (var element in array)
                    WriteValue(writer, element);
                writer.WriteEndArray();
                break;
            // JSON has no infinity and no NaN.
            case float number when !float.IsFinite(number): writer.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number when !double.IsFinite(number): writer.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            default: writer.WriteRawValue(Convert.ToString(value, CultureInfo.InvariantCulture)!); break;
        }
    }
}
