using System.Globalization;
using System.Text.Json;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>What a driver made of the kernels for one shape.</summary>
internal sealed class KernelTable(string shape, IReadOnlyList<SurveyedKernel> kernels)
{
    /// <summary>Parts of the names of statistics that the table shows, drivers' words for the same things; JSON has all.</summary>
    private static readonly string[] Shown =
        ["gpr", "register", "spill", "fill count", "scratch", "stack", "lds", "shared", "subgroups per simd", "occupancy", "code size", "binary size", "instruction count"];

    public static void Write(Utf8JsonWriter json, PhysicalGpu gpu, IEnumerable<KernelTable> tables)
    {
        json.WriteStartObject();
        json.WriteString("device", gpu.Name);
        json.WriteString("driver", gpu.Driver);
        json.WriteStartArray("kernels");
        foreach (var table in tables)
            table.WriteRows(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public void Write(TextWriter writer)
    {
        var names = kernels.SelectMany(kernel => kernel.Statistics).Select(statistic => statistic.Name).Distinct().Where(IsShown).ToArray();
        var table = new TextTable([$"kernel, {shape}", "use", .. names.Select(name => name + '>'), "runs here"]);
        foreach (var kernel in kernels)
            table.Add([kernel.Variant, kernel.Use, .. names.Select(name => Value(kernel, name)), kernel.Problem ?? (kernel.IsChosen ? "yes" : "no, another of its family does")]);
        writer.WriteLine();
        table.Write(writer);
    }

    private static bool IsShown(string name) => Shown.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    private static string Value(SurveyedKernel kernel, string name) =>
        kernel.Statistics.Where(statistic => statistic.Name == name).Select(statistic => statistic.Value.ToString("0.##", CultureInfo.InvariantCulture)).FirstOrDefault("-");

    private void WriteRows(Utf8JsonWriter json)
    {
        foreach (var kernel in kernels)
        {
            json.WriteStartObject();
            json.WriteString("shape", shape);
            json.WriteString("variant", kernel.Variant);
            json.WriteString("use", kernel.Use);
            json.WriteBoolean("chosen", kernel.IsChosen);
            json.WriteString("problem", kernel.Problem);
            json.WriteStartObject("statistics");
            foreach (var statistic in kernel.Statistics.DistinctBy(statistic => statistic.Name))
                json.WriteNumber(statistic.Name, statistic.Value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }
}
