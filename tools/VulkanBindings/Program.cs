using System.Runtime.CompilerServices;
using VulkanBindings;

const string Usage = "usage: dotnet run --project tools/VulkanBindings -- path/to/vk.xml [--check] [--layouts path/to/include]";

if (args.Length == 0 || args[0].StartsWith('-'))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var check = args.Contains("--check");
var layouts = Array.IndexOf(args, "--layouts");
if (layouts == args.Length - 1 || args.Length != 1 + (check ? 1 : 0) + (layouts > 0 ? 2 : 0))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var tool = ToolFolder();
var root = Path.GetFullPath(Path.Combine(tool, "..", ".."));
var registry = new Registry(args[0]);
var selection = new Selection(registry, Path.Combine(tool, "bindings.txt"));
var types = new CSharpTypes(registry);
var typeWriter = new TypeWriter(registry, selection, types);
var commandWriter = new CommandWriter(registry, selection, types);

var generated = Path.Combine(root, "src", "Silk.NET.Vulkan", "Generated");
SourceFile[] sources =
[
    typeWriter.Enums(), typeWriter.Handles(), typeWriter.Structs(), typeWriter.FunctionPointers(),
    commandWriter.Constants(), commandWriter.CoreCommands(), .. commandWriter.Extensions(),
];
var outputs = sources.ToDictionary(source => Path.Combine(generated, source.Name), source => source.ToString());
if (layouts > 0)
    outputs[Path.Combine(root, "tests", "Silk.NET.Vulkan.Tests", "layouts.txt")] = LayoutTable.Measure(registry, selection, args[layouts + 1]);

var leftovers = Directory.Exists(generated) ? Directory.GetFiles(generated, "*.cs").Where(file => !outputs.ContainsKey(file)).ToArray() : [];
if (check)
{
    var stale = outputs.Where(output => !File.Exists(output.Key) || File.ReadAllText(output.Key) != output.Value)
        .Select(output => output.Key).Concat(leftovers).ToArray();
    foreach (var file in stale) Console.Error.WriteLine($"stale: {Path.GetRelativePath(root, file)}");
    return stale.Length == 0 ? 0 : 1;
}

Directory.CreateDirectory(generated);
foreach (var file in leftovers) File.Delete(file);
foreach (var (file, text) in outputs) File.WriteAllText(file, text);
Console.WriteLine($"Vulkan {registry.Version}: {selection.Structs.Count} structures, {selection.Enums.Count} enumerations, {selection.Handles.Count} handles, " +
    $"{selection.Commands.Count} commands, {selection.Extensions.Count} extensions.");
return 0;

static string ToolFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
