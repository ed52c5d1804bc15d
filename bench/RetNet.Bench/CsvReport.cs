using System.Globalization;
using System.Text;

namespace RetNet.Bench;

/// <summary>A report as CSV (RFC 4180, with line feeds): a heading, then a line a measurement, each with all that identifies it.</summary>
public static class CsvReport
{
    private static readonly string[] Headings =
    [
        "date", "program", "vendor", "device", "driver", "vulkan", "model", "architecture", "type", "state_type", "kind", "batch", "depth", "tokens",
        "tokens_per_second", "min", "max", "bytes_per_second", "share_of_copy", "flops_per_second", "share_of_product", "allocated_bytes", "driver_bytes",
    ];

    /// <summary>The text.</summary>
    public static string Write(BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        AppendLine(text, Headings);
        foreach (var measurement in report.Measurements)
            AppendLine(text, Fields(report, measurement));
        return text.ToString();
    }

    private static string[] Fields(BenchReport report, Measurement measurement) =>
    [
        report.Date.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), report.Program,
        report.Device.Vendor, report.Device.Name, report.Device.Driver, report.Device.Capabilities.ApiVersion.ToString(),
        measurement.Model, Words.Of(measurement.Architecture), measurement.Type, Words.Of(measurement.StateType), Words.Of(measurement.Kind),
        Number(measurement.Batch), Number(measurement.Depth), Number(measurement.Tokens),
        Number(measurement.TokensPerSecond.Median), Number(measurement.TokensPerSecond.Min), Number(measurement.TokensPerSecond.Max),
        Number(measurement.BytesPerSecond), Number(measurement.BytesPerSecond / report.Limits.CopyBytesPerSecond),
        Number(measurement.FlopsPerSecond), Number(measurement.FlopsPerSecond / report.Limits.ProductFlopsPerSecond),
        measurement.AllocatedBytes.ToString(CultureInfo.InvariantCulture), measurement.DriverBytes?.ToString(CultureInfo.InvariantCulture) ?? "",
    ];

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static void AppendLine(StringBuilder text, IEnumerable<string> fields) => text.AppendJoin(',', fields.Select(Quoted)).Append('\n');

    private static string Quoted(string field) =>
        field.AsSpan().ContainsAny(",\"\r\n") ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
