namespace VulkanBindings;

/// <summary>Writes Vk's constants and commands, and a class for each extension that has commands.</summary>
internal sealed class CommandWriter(Registry registry, Selection selection, CSharpTypes types)
{
    // Looked up without the loader that they feed; handwritten.
    private static readonly HashSet<string> Handwritten = ["vkGetInstanceProcAddr", "vkGetDeviceProcAddr"];

    public SourceFile Constants()
    {
        var file = new SourceFile("Vk.Constants.cs", registry.Version, "Silk.NET.Vulkan");
        file.Block("public unsafe partial class Vk", () =>
        {
            foreach (var (name, type, value) in registry.Constants.Where(IsCore))
            {
                var csharp = types.Name(type);
                file.Line($"public const {csharp} {SilkNames.Member(name["VK_".Length..])} = {value.Replace("ULL", "UL", StringComparison.Ordinal)};");
            }
        });
        return file;
    }

    public SourceFile CoreCommands()
    {
        var file = new SourceFile("Vk.Commands.cs", registry.Version, "Silk.NET.Vulkan", "System.Runtime.InteropServices", "Silk.NET.Core");
        var commands = selection.Commands.Values.Where(command => !Handwritten.Contains(command.Name)).ToArray();
        file.Block("public unsafe partial class Vk", () =>
        {
            foreach (var command in commands) WriteCommand(file, command, Method(command), $"{(IsOfDevice(command) ? "_device" : "_instance")}.{Method(command)}");
            WriteTable(file, "InstanceCommands", commands.Where(command => !IsOfDevice(command)));
            WriteTable(file, "DeviceCommands", commands.Where(IsOfDevice));
        });
        return file;
    }

    public IEnumerable<SourceFile> Extensions() =>
        selection.Extensions.Values.Where(extension => extension.Commands.Length > 0).Select(WriteExtension);

    private SourceFile WriteExtension(Extension extension)
    {
        var name = SilkNames.ExtensionClass(extension.Name);
        var vendor = extension.Name.Split('_')[1];
        var file = new SourceFile($"{name}.cs", registry.Version, $"Silk.NET.Vulkan.Extensions.{vendor}",
            "Silk.NET.Core.Native");
        var commands = extension.Commands.Order(StringComparer.Ordinal).Select(command => registry.Commands[command]).ToArray();
        file.Block($"public sealed unsafe class {name} : NativeExtension<Vk>, IVulkanExtension<{name}>", () =>
        {
            file.Line($"public const string ExtensionName = \"{extension.Name}\";");
            file.Line();
            foreach (var command in commands) WriteField(file, "private", command, Field(command));
            file.Line();
            file.Line($"private {name}(CommandLoader commands) : base(commands)");
            file.Braces(() => { });
            file.Line();
            file.Line($"static string IVulkanExtension<{name}>.Name => ExtensionName;");
            file.Line();
            file.Line($"static {name} IVulkanExtension<{name}>.Create(CommandLoader commands) => new(commands);");
            foreach (var command in commands) WriteCommand(file, command, SilkNames.Method(command.Name, vendor), Field(command));
        });
        return file;

        string Field(Command command)
        {
            var method = SilkNames.Method(command.Name, vendor);
            return $"_{char.ToLowerInvariant(method[0])}{method[1..]}";
        }
    }

    private void WriteTable(SourceFile file, string name, IEnumerable<Command> commands) => file.Block($"private struct {name}", () =>
    {
        foreach (var command in commands) WriteField(file, "public", command, Method(command));
    });

    private void WriteField(SourceFile file, string access, Command command, string name) =>
        file.Line($"{access} {types.Signature(command.Parameters, command.ReturnType, "")} {name};");

    private void WriteCommand(SourceFile file, Command command, string method, string field)
    {
        var signature = types.Signature(command.Parameters, command.ReturnType, "");
        var parameters = command.Parameters.Select(parameter => $"{types.Full(parameter)} {CSharpTypes.Identifier(parameter.Name)}");
        var arguments = string.Join(", ", command.Parameters.Select(parameter => CSharpTypes.Identifier(parameter.Name)));
        var result = types.Name(command.ReturnType);
        var lookup = IsOfDevice(command) ? "DeviceCommand" : "InstanceCommand";
        file.Block($"public {result} {method}({string.Join(", ", parameters)})", () =>
        {
            file.Line($"var command = {field};");
            file.Line($"if (command == null) {field} = command = ({signature})");
            file.Line($"    Commands.{lookup}(\"{command.Name}\"u8);");
            file.Line($"{(result == "void" ? "" : "return ")}command({arguments});");
        });
        if (command.Parameters.SingleOrDefault(IsString) is { } text) WriteStringOverload(file, command, method, result, text);
    }

    // Silk.NET has these too, so a bare null is as ambiguous here as there.
    private void WriteStringOverload(SourceFile file, Command command, string method, string result, Variable text)
    {
        var parameters = command.Parameters.Select(parameter => parameter == text ? $"string? {text.Name}" : $"{types.Full(parameter)} {CSharpTypes.Identifier(parameter.Name)}");
        var arguments = command.Parameters.Select(parameter => parameter == text ? "utf8" : CSharpTypes.Identifier(parameter.Name));
        file.Block($"public {result} {method}({string.Join(", ", parameters)})", () =>
        {
            file.Line($"var utf8 = (byte*)Marshal.StringToCoTaskMemUTF8({text.Name});");
            file.Line("try");
            file.Braces(() => file.Line($"{(result == "void" ? "" : "return ")}{method}({string.Join(", ", arguments)});"));
            file.Line("finally");
            file.Braces(() => file.Line("Marshal.FreeCoTaskMem((nint)utf8);"));
        });
    }

    private static string Method(Command command) => SilkNames.Method(command.Name, vendor: null);

    private static bool IsString(Variable parameter) => parameter is { Type: "char", Pointers: 1, IsConst: true };

    private static bool IsOfDevice(Command command) => command.Parameters[0].Type is "VkDevice" or "VkQueue" or "VkCommandBuffer";

    private bool IsCore((string Name, string Type, string Value) constant) =>
        constant.Type != "float" && !registry.Vendors.Contains(constant.Name.Split('_')[^1]);
}
