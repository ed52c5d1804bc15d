using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Silk.NET.Vulkan.Tests;

/// <summary>Compares every structure with layouts.txt, which the C compiler made from the Khronos headers (tools/VulkanBindings).</summary>
public class LayoutTests
{
    private static readonly Dictionary<string, Layout> Table = ReadTable();

    private static readonly MethodInfo SizeOfMethod = typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!;

    public static TheoryData<string> Names => [.. Table.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void StructureHasTheLayoutOfTheCHeaders(string name)
    {
        var type = typeof(Vk).Assembly.GetType($"Silk.NET.Vulkan.{name}");
        Assert.NotNull(type);
        Assert.Equal(Table[name].Size, SizeOf(type));
        Assert.Equal(Table[name].Size, Marshal.SizeOf(type));

        var fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public)
            .Select(field => new Field(field.Name, (int)Marshal.OffsetOf(type, field.Name), SizeOf(field.FieldType)));
        Assert.Equal(Table[name].Fields, fields);
    }

    [Fact]
    public void EveryStructureIsInTheTable()
    {
        var structures = typeof(Vk).Assembly.GetExportedTypes()
            .Where(type => type is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "Silk.NET.Vulkan" })
            .Where(type => !type.Name.StartsWith("Pfn", StringComparison.Ordinal) && type.GetField("Handle") is null)
            .Select(type => type.Name);
        Assert.Equal(Table.Keys.Order(StringComparer.Ordinal), structures.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void HandlesAndBooleansHaveTheSizeOfTheirC()
    {
        Assert.Equal(8, Unsafe.SizeOf<Instance>());
        Assert.Equal(8, Unsafe.SizeOf<Buffer>());
        Assert.Equal(4, Unsafe.SizeOf<Core.Bool32>());
        Assert.Equal(8, Unsafe.SizeOf<PfnDebugUtilsMessengerCallbackEXT>());
    }

    private static int SizeOf(Type type) =>
        type.IsPointer ? nint.Size : (int)SizeOfMethod.MakeGenericMethod(type).Invoke(null, null)!;

    private static Dictionary<string, Layout> ReadTable()
    {
        var table = new Dictionary<string, Layout>();
        Layout? current = null;
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "layouts.txt")).Where(line => line[0] != '#'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] == "struct") table.Add(words[1], current = new Layout(Number(words[2]), []));
            else current!.Fields.Add(new Field(words[0], Number(words[1]), Number(words[2])));
        }

        return table;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private sealed record Layout(int Size, List<Field> Fields);

    private sealed record Field(string Name, int Offset, int Size);
}
