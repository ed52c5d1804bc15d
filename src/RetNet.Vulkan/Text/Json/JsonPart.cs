using System.Text.Encodings.Web;
using System.Text.Json;

namespace RetNet.Vulkan.Text.Json;

/// <summary>A value in <c>tokenizer.json</c> that knows its place, for errors to name.</summary>
/// <param name="Element">The value.</param>
/// <param name="Path">Its place, such as <c>decoder.decoders[2]</c>; empty for the whole document.</param>
internal readonly record struct JsonPart(JsonElement Element, string Path)
{
    private const int QuotedLength = 40;

    private string Where => Path.Length > 0 ? Path : "the document";

    /// <summary>The value of a key, null where it is absent or JSON's null.</summary>
    public JsonPart? Optional(string name)
    {
        Require(JsonValueKind.Object);
        return Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? new JsonPart(value, Path.Length > 0 ? $"{Path}.{name}" : name)
            : null;
    }

    /// <summary>The value of a key that must be there.</summary>
    public JsonPart Member(string name) => Optional(name) ?? throw new TokenizerException($"tokenizer.json: {Where} has no \"{name}\"");

    /// <summary>The elements of an array.</summary>
    public IEnumerable<JsonPart> Items()
    {
        Require(JsonValueKind.Array);
        var path = Path;
        return Element.EnumerateArray().Select((item, index) => new JsonPart(item, $"{path}[{index}]"));
    }

    /// <summary>The entries of an object.</summary>
    public JsonElement.ObjectEnumerator Entries()
    {
        Require(JsonValueKind.Object);
        return Element.EnumerateObject();
    }

    /// <summary>A string.</summary>
    public string Text()
    {
        Require(JsonValueKind.String);
        return Element.GetString()!;
    }

    /// <summary>A string of exactly one character.</summary>
    public string Character()
    {
        var text = Text();
        return text.EnumerateRunes().Count() == 1 ? text : throw Wrong("one character");
    }

    /// <summary>The truth value of a key.</summary>
    public bool Flag(string name, bool absent = false) => Optional(name) switch
    {
        null => absent,
        { Element.ValueKind: JsonValueKind.True } => true,
        { Element.ValueKind: JsonValueKind.False } => false,
        { } other => throw other.Wrong("true or false"),
    };

    /// <summary>A whole number from 0.</summary>
    public int Count() => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var number) && number >= 0
        ? number
        : throw Wrong($"a whole number from 0 to {int.MaxValue}");

    /// <summary>The component's type.</summary>
    public string Type() => Member("type").Text();

    /// <summary>Throws unless the value is of the kind.</summary>
    public void Require(JsonValueKind kind)
    {
        if (Element.ValueKind != kind)
            throw new TokenizerException($"tokenizer.json: {Where} must be {kind}, not {Element.ValueKind}");
    }

    /// <summary>An error about what the value holds.</summary>
    public TokenizerException Wrong(string wanted) =>
        new($"tokenizer.json: {Where} must be {wanted}, not {Quote(Element.GetRawText())}");

    /// <summary>An error about the value, in words that follow its place.</summary>
    public TokenizerException Malformed(string what) => new($"tokenizer.json: {Where} {what}");

    /// <summary>An error about a component that this library does not have.</summary>
    public TokenizerException Unsupported(string type, string supported) =>
        new($"tokenizer.json: {Where} of type {Quote(type)} is not supported (supported: {supported})");

    /// <summary>A string from the file on one line and of bounded length.</summary>
    public static string Quote(string text)
    {
        if (text.Length > QuotedLength)
            text = text[..(char.IsHighSurrogate(text[QuotedLength - 1]) ? QuotedLength - 1 : QuotedLength)] + "…";
        return $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }
}
