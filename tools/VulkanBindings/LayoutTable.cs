using System.Diagnostics;
using System.Text;

namespace VulkanBindings;

/// <summary>Measures the structures with the system's C compiler and the Khronos headers of the registry's version.</summary>
internal static class LayoutTable
{
    /// <summary>Lines of "struct NAME SIZE", each followed by its members' "  NAME OFFSET SIZE", in bytes and under their C# names.</summary>
    public static string Measure(Registry registry, Selection selection, string includeDirectory)
    {
        var folder = Directory.CreateTempSubdirectory("layouts");
        try
        {
            var source = Path.Combine(folder.FullName, "layouts.c");
            var program = Path.Combine(folder.FullName, "layouts");
            File.WriteAllText(source, Program(registry, selection));
            Run(Environment.GetEnvironmentVariable("CC") ?? "cc", "-I", includeDirectory, "-o", program, source);
            return Run(program);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Program(Registry registry, Selection selection)
    {
        var text = new StringBuilder();
        text.AppendLine("#include <stddef.h>").AppendLine("#include <stdio.h>").AppendLine("#include <vulkan/vulkan.h>");
        var version = registry.Version.Split('.')[^1];
        text.AppendLine($"#if VK_HEADER_VERSION != {version}").AppendLine($"#error the headers are not of version {version}").AppendLine("#endif");
        text.AppendLine("int main(void) {");
        text.AppendLine($"puts(\"# Sizes and offsets in bytes on a 64-bit target, from the C headers of Vulkan {registry.Version}; written by tools/VulkanBindings.\");");
        foreach (var type in selection.Structs.Values)
        {
            text.AppendLine($"printf(\"struct {SilkNames.Type(type.Name)} %zu\\n\", sizeof({type.Name}));");
            foreach (var member in type.Members)
                text.AppendLine($"printf(\"  {SilkNames.Member(member.Name)} %zu %zu\\n\", offsetof({type.Name}, {member.Name}), sizeof((({type.Name}*)0)->{member.Name}));");
        }

        return text.AppendLine("return 0; }").ToString();
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} failed with exit code {process.ExitCode}.");
    }
}
