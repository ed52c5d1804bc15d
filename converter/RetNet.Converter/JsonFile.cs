using System.Text.Json;

namespace RetNet.Converter;

/// <summary>A JSON object in a file, or settings of another form made one, with getters that name the file and the key when a value is missing or of another kind.</summary>
public sealed class JsonFile : IDisposable
{
    // Above any tokenizer (Gemma's is 34 MB) and low enough to hold in memory.
    private const long LargestFile = 256 << 20;

    private readonly JsonDocument _document;

    private JsonFile(string path, string name, byte[] bytes)
    {
        Path = path;
        ShortName = name;
        Bytes = bytes;
        try
        {
            _document = JsonDocument.Parse(bytes);
        }
        catch (JsonException e)
        {
            // Its own message may quote the whole rest of the file.
            throw new ConverterException(path, $"is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}", e);
        }

        if (Root.ValueKind != JsonValueKind.Object)
            throw new ConverterException(path, "is JSON, but not an object");
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>What messages call it, such as <c>config.json</c>.</summary>
    public string ShortName { get; }

    /// <summary>The file as it is.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The object.</summary>
    public JsonElement Root => _document.RootElement;

    /// <summary>Reads and parses <paramref name="path"/>.</summary>
    /// <exception cref="ConverterException">The file is missing, unreadable, larger than 256 MiB or no JSON object.</exception>
    public static JsonFile Open(string path)
    {
        if (!File.Exists(path))
            throw new ConverterException(path, "no such file");
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw new ConverterException(path, $"is larger than {LargestFile >> 20} MiB, which no {System.IO.Path.GetFileName(path)} is");
            byte[] bytes = File.ReadAllBytes(path);
            return new JsonFile(path, System.IO.Path.GetFileName(path), bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes[3..] : bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConverterException(path, $"cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads <paramref name="path"/>, or gives null when there is no such file.</summary>
    public static JsonFile? OpenIfThere(string path) => File.Exists(path) ? Open(path) : null;

    /// <summary>Settings that stand in <paramref name="path"/>, where messages call them <paramref name="name"/>, as JSON.</summary>
    /// <exception cref="ConverterException">They are no JSON object.</exception>
    internal static JsonFile Parse(string path, string name, byte[] json) => new(path, name, json);

    /// <summary>The value of <paramref name="key"/>, null when it is absent or JSON's null.</summary>
    public JsonElement? Find(string key) => Find(Root, key);

    /// <summary>The value of <paramref name="key"/> in a part of the file, null when it is absent, JSON's null, or the part is no object.</summary>
    public JsonElement? Find(JsonElement part, string key) => part.ValueKind != JsonValueKind.Object ? null : Guard<JsonElement?>(
        () => part.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null,
        "has a key that is not text");

    /// <summary>An integer, or <paramref name="fallback"/> when the key is absent.</summary>
    public int GetInt32(string key, int fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int number) => number,
        { } value => throw Wrong(key, value, "an integer"),
    };

    /// <summary>A finite number, or <paramref name="fallback"/> when the key is absent.</summary>
    public double GetDouble(string key, double fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out double number) && double.IsFinite(number) => number,
        { } value => throw Wrong(key, value, "a number"),
    };

    /// <summary>A truth value, or <paramref name="fallback"/> when the key is absent.</summary>
    public bool GetBoolean(string key, bool fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        { } value => throw Wrong(key, value, "true or false"),
    };

    /// <summary>A string, or <paramref name="fallback"/> when the key is absent.</summary>
    public string GetString(string key, string fallback) => Find(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.String } value => Text(key, value),
        { } value => throw Wrong(key, value, "a string"),
    };

    /// <summary>The text of a JSON string.</summary>
    /// <exception cref="ConverterException">It escapes half a surrogate pair, which is JSON but no text.</exception>
    public string Text(string key, JsonElement value) =>
        Guard(value.GetString, $"'{key}' holds something that is not text") ?? throw Wrong(key, value, "a string");

    /// <summary>The name of a JSON property.</summary>
    /// <exception cref="ConverterException">It escapes half a surrogate pair, which is JSON but no text.</exception>
    public string Name(JsonProperty property) => Guard(() => property.Name, "has a key that is not text");

    /// <summary>An error about the value of <paramref name="key"/>.</summary>
    public ConverterException Wrong(string key, JsonElement value, string expected)
    {
        string found = value.GetRawText();
        return new(Path, $"'{key}' is {(found.Length > 40 ? found[..40] + "…" : found)}, expected {expected}");
    }

    /// <summary>Frees the parsed document.</summary>
    public void Dispose() => _document.Dispose();

    private T Guard<T>(Func<T> read, string problem)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new ConverterException(Path, problem, e);
        }
    }
}
