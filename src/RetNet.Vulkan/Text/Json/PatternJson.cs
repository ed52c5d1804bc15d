using RetNet.Vulkan.Text.Patterns;

namespace RetNet.Vulkan.Text.Json;

/// <summary>Reads <c>{"String": …}</c> and <c>{"Regex": …}</c>.</summary>
internal static class PatternJson
{
    /// <summary>The pattern of a component.</summary>
    public static IPattern Read(JsonPart component)
    {
        var pattern = component.Member("pattern");
        if (pattern.Optional("Regex") is { } regex)
            return ReadRegex(regex);
        return new LiteralPattern(ReadLiteral(component));
    }

    /// <summary>The pattern of a component that takes strings only.</summary>
    public static string ReadLiteral(JsonPart component)
    {
        var pattern = component.Member("pattern");
        if (pattern.Optional("String") is { } literal)
            return literal.Text();
        throw pattern.Optional("Regex") is { } regex
            ? regex.Malformed("is not supported here: only a String is")
            : pattern.Malformed("has neither \"String\" nor \"Regex\"");
    }

    private static RegexPattern ReadRegex(JsonPart regex)
    {
        var text = regex.Text();
        try
        {
            return new RegexPattern(text);
        }
        catch (ArgumentException error)
        {
            throw new TokenizerException($"{regex.Malformed($"is not supported: {JsonPart.Quote(text)}").Message}: {OneLine(error.Message)}", error);
        }
    }

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
