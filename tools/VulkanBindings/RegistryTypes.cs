using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace VulkanBindings;

/// <summary>A member or parameter: C type without qualifiers, pointer depth, array length (a number or a constant's name) if any.</summary>
internal sealed record Variable(string Type, string Name, int Pointers, string? ArrayLength, bool IsConst)
{
    public static Variable Parse(XElement element)
    {
        var name = element.Element("name")!;
        var after = string.Concat(name.NodesAfterSelf().Where(node => node is not XElement { Name.LocalName: "comment" })
            .Select(node => node is XElement inner ? inner.Value : node.ToString()));
        var before = string.Concat(name.NodesBeforeSelf().OfType<XText>().Select(text => text.Value));
        var length = after.Trim() == "" ? null : after.Trim().Trim('[', ']');
        return new Variable(element.Element("type")!.Value, name.Value, before.Count(c => c == '*'), length,
            before.TrimStart().StartsWith("const", StringComparison.Ordinal));
    }
}

internal sealed record StructType(string Name, bool IsUnion, Variable[] Members);

/// <summary>A flags typedef; <see cref="Bits"/> names its enumeration, null while no bit is defined.</summary>
internal sealed record BitmaskType(string Name, string? Bits, bool IsWide);

internal sealed record Command(string Name, string ReturnType, Variable[] Parameters);

internal sealed record Extension(string Name, string Author, string[] Commands, string[] Types);

internal sealed partial record FunctionPointerType(string Name, string ReturnType, Variable[] Parameters)
{
    // typedef VkBool32 (VKAPI_PTR *<name>PFN_x</name>)(<type>A</type> a, const <type>B</type>* b);
    public static FunctionPointerType Parse(string name, XElement type)
    {
        var text = type.Value;
        var returnType = text["typedef ".Length..text.IndexOf('(', StringComparison.Ordinal)].Trim();
        var list = text[(text.IndexOf(")(", StringComparison.Ordinal) + 2)..text.LastIndexOf(')')].Trim();
        var parameters = list == "void" ? [] : list.Split(',').Select(ParseParameter).ToArray();
        return new FunctionPointerType(name, returnType, parameters);
    }

    private static Variable ParseParameter(string text)
    {
        var match = ParameterPattern().Match(text.Trim());
        return new Variable(match.Groups["type"].Value, match.Groups["name"].Value, match.Groups["stars"].Value.Count(c => c == '*'), null,
            match.Groups["const"].Success);
    }

    [GeneratedRegex(@"^(?<const>const\s+)?(?<type>\w+)(?<stars>[\s*]*)\s(?<name>\w+)$")]
    private static partial Regex ParameterPattern();
}

/// <summary>A member of an enumeration; <see cref="ProvidedBy"/> is the feature or extension that adds it, null for the enumeration's own.</summary>
internal sealed record EnumMember(string Name, long Value, string? ProvidedBy);

internal sealed record EnumType(string Name, bool IsFlags, bool IsWide)
{
    /// <summary>Members without aliases, in registry order, from every feature and extension.</summary>
    public List<EnumMember> Members { get; } = [];

    /// <summary>Adds a member unless it is an alias or was added by an earlier provider.</summary>
    public void Add(XElement member, int extensionNumber, string? providedBy)
    {
        if (member.Attribute("alias") is not null || Members.Any(other => other.Name == member.Name())) return;
        Members.Add(new EnumMember(member.Name(), ValueOf(member, extensionNumber), providedBy));
    }

    // https://registry.khronos.org/vulkan/specs/latest/styleguide.html#_assigning_extension_token_values
    private static long ValueOf(XElement member, int extensionNumber)
    {
        if (member.Attribute("bitpos") is { } bit) return 1L << (int)bit;
        if (member.Attribute("value") is { } value) return ParseInteger(value.Value);
        var number = (int?)member.Attribute("extnumber") ?? extensionNumber;
        var magnitude = 1_000_000_000L + (number - 1) * 1000 + (int)member.Attribute("offset")!;
        return (string?)member.Attribute("dir") == "-" ? -magnitude : magnitude;
    }

    private static long ParseInteger(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? Convert.ToInt64(text, 16)
        : long.Parse(text, CultureInfo.InvariantCulture);
}

internal static class XElementExtensions
{
    /// <summary>The name attribute, or the name element for typedefs and defines.</summary>
    public static string Name(this XElement element) => (string?)element.Attribute("name") ?? element.Element("name")?.Value ?? "";
}
