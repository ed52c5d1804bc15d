using System.Globalization;

namespace VulkanBindings;

/// <summary>What bindings.txt asks for, with everything that it needs.</summary>
internal sealed class Selection
{
    private readonly Registry _registry;
    private readonly HashSet<string> _providers = [];

    /// <summary>Reads a list: lines of a keyword (version, extension, command, struct) and a name; # starts a comment.</summary>
    public Selection(Registry registry, string path)
    {
        _registry = registry;
        foreach (var line in File.ReadLines(path).Select(line => line.Split('#')[0].Trim()).Where(line => line != ""))
        {
            try
            {
                Read(line);
            }
            catch (Exception exception) when (exception is KeyNotFoundException or FormatException)
            {
                throw new InvalidDataException($"{path}: '{line}': {exception.Message}", exception);
            }
        }
    }

    public SortedDictionary<string, Command> Commands { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, Extension> Extensions { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, StructType> Structs { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, EnumType> Enums { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, bool> Handles { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, FunctionPointerType> FunctionPointers { get; } = new(StringComparer.Ordinal);

    /// <summary>The members of an enumeration that the chosen version and extensions have.</summary>
    public IEnumerable<EnumMember> MembersOf(EnumType type) =>
        type.Members.Where(member => member.ProvidedBy is null || _providers.Contains(member.ProvidedBy));

    private void Read(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2) throw new FormatException("a keyword and a name are needed.");
        switch (words[0])
        {
            case "version":
                AddVersion(words[1]);
                break;
            case "extension":
                AddExtension(_registry.Extensions[words[1]]);
                break;
            case "command":
                AddCommand(Commands[words[1]] = _registry.Commands[words[1]]);
                break;
            case "struct":
                AddStruct(_registry.Structs[words[1]]);
                break;
            default:
                throw new FormatException("the keyword is none of version, extension, command, struct.");
        }
    }

    private void AddVersion(string version)
    {
        var minor = int.Parse(version.Split('.')[1], CultureInfo.InvariantCulture);
        for (var i = 0; i <= minor; i++) _providers.Add($"VK_VERSION_1_{i}");
    }

    private void AddExtension(Extension extension)
    {
        Extensions[extension.Name] = extension;
        _providers.Add(extension.Name);
        foreach (var command in extension.Commands) AddCommand(_registry.Commands[command]);
        foreach (var type in extension.Types) AddType(type);
    }

    private void AddCommand(Command command)
    {
        AddType(command.ReturnType);
        foreach (var parameter in command.Parameters) AddType(parameter.Type);
    }

    private void AddStruct(StructType type)
    {
        if (!Structs.TryAdd(type.Name, type)) return;
        foreach (var member in type.Members) AddType(member.Type);
    }

    private void AddType(string name)
    {
        name = _registry.Resolve(name);
        if (_registry.Structs.TryGetValue(name, out var structure)) AddStruct(structure);
        else if (_registry.Handles.TryGetValue(name, out var dispatchable)) Handles[name] = dispatchable;
        else if (_registry.Bitmasks.TryGetValue(name, out var mask) && mask.Bits is { } bits) AddType(bits);
        else if (_registry.Enums.TryGetValue(name, out var type)) Enums[name] = type;
        else if (_registry.FunctionPointers.TryGetValue(name, out var pointer)) AddFunctionPointer(pointer);
    }

    private void AddFunctionPointer(FunctionPointerType pointer)
    {
        // PfnVoidFunction is handwritten, in Silk.NET.Core.
        if (pointer.Name == "PFN_vkVoidFunction" || !FunctionPointers.TryAdd(pointer.Name, pointer)) return;
        foreach (var parameter in pointer.Parameters) AddType(parameter.Type);
    }
}
