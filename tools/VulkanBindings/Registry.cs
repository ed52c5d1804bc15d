using System.Globalization;
using System.Xml.Linq;

namespace VulkanBindings;

/// <summary>What the tool needs of vk.xml: types, enumerations, commands, extensions, with names as in the registry.</summary>
internal sealed class Registry
{
    private readonly Dictionary<string, string> _typeAliases = [];

    /// <summary>Reads a registry file.</summary>
    public Registry(string path)
    {
        var root = XDocument.Load(path).Root!;
        ReadTypes(root);
        ReadEnums(root);
        ReadCommands(root);
        ReadRequirements(root);
    }

    /// <summary>The registry's version, for instance 1.4.309.</summary>
    public string Version { get; private set; } = "";

    public Dictionary<string, StructType> Structs { get; } = [];

    /// <summary>Handles: name and whether the handle is dispatchable (a pointer).</summary>
    public Dictionary<string, bool> Handles { get; } = [];

    public Dictionary<string, BitmaskType> Bitmasks { get; } = [];

    public Dictionary<string, EnumType> Enums { get; } = [];

    public Dictionary<string, FunctionPointerType> FunctionPointers { get; } = [];

    public Dictionary<string, Command> Commands { get; } = [];

    public Dictionary<string, Extension> Extensions { get; } = [];

    /// <summary>The API constants in registry order: name, C type, value.</summary>
    public List<(string Name, string Type, string Value)> Constants { get; } = [];

    /// <summary>Vendor suffixes (KHR, EXT, NV, ...).</summary>
    public HashSet<string> Vendors { get; } = [];

    /// <summary>Follows aliases to the type's own name.</summary>
    public string Resolve(string type) => _typeAliases.TryGetValue(type, out var target) ? Resolve(target) : type;

    /// <summary>The value of an integer API constant.</summary>
    public int ConstantValue(string name) =>
        int.Parse(Constants.Single(constant => constant.Name == name).Value, CultureInfo.InvariantCulture);

    private void ReadTypes(XElement root)
    {
        foreach (var tag in root.Elements("tags").Elements("tag")) Vendors.Add(tag.Name());
        foreach (var type in root.Elements("types").Elements("type").Where(IsVulkan))
        {
            var name = type.Name();
            if (type.Attribute("alias") is { } alias) _typeAliases[name] = alias.Value;
            else if (name == "VK_HEADER_VERSION_COMPLETE") ReadVersion(root, type);
            else ReadType(type, name);
        }
    }

    private void ReadVersion(XElement root, XElement complete)
    {
        // #define VK_HEADER_VERSION_COMPLETE VK_MAKE_API_VERSION(0, 1, 4, VK_HEADER_VERSION)
        var numbers = complete.Value.Split(['(', ',', ')'], StringSplitOptions.TrimEntries);
        var patch = root.Elements("types").Elements("type")
            .First(type => IsVulkan(type) && type.Name() == "VK_HEADER_VERSION").Value.Trim().Split(' ')[^1];
        Version = $"{numbers[^4]}.{numbers[^3]}.{patch}";
    }

    private void ReadType(XElement type, string name)
    {
        switch ((string?)type.Attribute("category"))
        {
            case "struct" or "union":
                Structs[name] = new StructType(name, IsUnion: (string?)type.Attribute("category") == "union",
                    [.. type.Elements("member").Where(IsVulkan).Select(Variable.Parse)]);
                break;
            case "handle":
                Handles[name] = type.Element("type")!.Value == "VK_DEFINE_HANDLE";
                break;
            case "bitmask":
                var bits = (string?)type.Attribute("requires") ?? (string?)type.Attribute("bitvalues");
                Bitmasks[name] = new BitmaskType(name, bits, IsWide: type.Element("type")!.Value == "VkFlags64");
                break;
            case "funcpointer":
                FunctionPointers[name] = FunctionPointerType.Parse(name, type);
                break;
        }
    }

    private void ReadEnums(XElement root)
    {
        foreach (var block in root.Elements("enums"))
        {
            if ((string?)block.Attribute("type") == "constants")
            {
                foreach (var constant in block.Elements("enum").Where(element => element.Attribute("alias") is null))
                    Constants.Add((constant.Name(), constant.Attribute("type")!.Value, constant.Attribute("value")!.Value));
                continue;
            }

            var type = new EnumType(block.Name(), IsFlags: (string?)block.Attribute("type") == "bitmask",
                IsWide: (string?)block.Attribute("bitwidth") == "64");
            Enums[type.Name] = type;
            foreach (var member in block.Elements("enum").Where(IsVulkan)) type.Add(member, extensionNumber: 0, providedBy: null);
        }
    }

    private void ReadCommands(XElement root)
    {
        foreach (var command in root.Elements("commands").Elements("command").Where(IsVulkan))
        {
            if (command.Element("proto") is not { } proto) continue;
            var name = proto.Element("name")!.Value;
            Commands[name] = new Command(name, proto.Element("type")!.Value,
                [.. command.Elements("param").Where(IsVulkan).Select(Variable.Parse)]);
        }
    }

    private void ReadRequirements(XElement root)
    {
        foreach (var feature in root.Elements("feature").Where(IsVulkan))
            ReadEnumExtensions(feature, extensionNumber: 0, providedBy: feature.Name());
        foreach (var element in root.Elements("extensions").Elements("extension").Where(IsSupported))
        {
            var extension = new Extension(element.Name(), element.Attribute("author")?.Value ?? "", Names(element, "command"), Names(element, "type"));
            Extensions[extension.Name] = extension;
            ReadEnumExtensions(element, (int)element.Attribute("number")!, extension.Name);
        }
    }

    private void ReadEnumExtensions(XElement provider, int extensionNumber, string providedBy)
    {
        var members = provider.Elements("require").Where(IsVulkan).Elements("enum").Where(IsVulkan);
        foreach (var member in members)
        {
            if (member.Attribute("extends") is { } extended && Enums.TryGetValue(extended.Value, out var type))
                type.Add(member, extensionNumber, providedBy);
        }
    }

    // Types and commands that depend on a further extension are left out.
    private static string[] Names(XElement extension, string kind) =>
        [.. extension.Elements("require").Where(require => IsVulkan(require) && require.Attribute("depends") is null)
            .Elements(kind).Select(element => element.Name())];

    private static bool IsVulkan(XElement element) =>
        element.Attribute("api") is not { } api || api.Value.Split(',').Contains("vulkan");

    private static bool IsSupported(XElement extension) =>
        extension.Attribute("supported")!.Value.Split(',').Contains("vulkan");
}
