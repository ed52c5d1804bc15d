using System.Globalization;
using RetNet.Bench;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>A bench report for people.</summary>
internal static class BenchTable
{
    public static void Write(TextWriter writer, BenchReport report)
    {
        WriteHead(writer, report);
        if (report.Measurements.Count == 0)
            return;
        writer.WriteLine();
        WriteMeasurements(writer, report);
        WriteKernels(writer, report);
    }

    /// <summary>Program, device and models.</summary>
    public static void WriteHead(TextWriter writer, BenchReport report)
    {
        writer.WriteLine(FormattableString.Invariant($"{report.Program}, {report.Date.UtcDateTime:yyyy-MM-dd}, {report.Device.Name} ({report.Device.Vendor}), {report.Device.Driver}, Vulkan {report.Device.Capabilities.ApiVersion}"));
        writer.WriteLine(FormattableString.Invariant($"plain copy by {report.Limits.CopyBy}: {Scaled(report.Limits.CopyBytesPerSecond, "B/s")}; plain product, {report.Limits.ProductShape}: {Scaled(report.Limits.ProductFlopsPerSecond, "FLOP/s")}"));
        foreach (var model in report.Models)
            Write(writer, model);
    }

    /// <summary>A table of kernels for each measurement that was profiled.</summary>
    public static void WriteKernels(TextWriter writer, BenchReport report)
    {
        foreach (var measurement in report.Measurements.Where(measurement => measurement.Kernels.Count > 0))
            WriteKernels(writer, measurement);
    }

    private static void Write(TextWriter writer, ModelResult model)
    {
        var rate = model.File is null ? "made" : $"loaded at {Scaled(model.WeightBytes / model.LoadSeconds, "B/s")}";
        writer.WriteLine(FormattableString.Invariant(
            $"{Name(model.Name, model.Architecture)} {model.Type}: {model.Parameters:N0} parameters, {MemoryPlan.Size(model.WeightBytes)} of weights {rate} in {model.LoadSeconds:F2} s; first token after {model.FirstTokenSeconds:F2} s, at a second start {model.SecondStartSeconds:F2} s"));
        foreach (var note in model.Notes)
            writer.WriteLine($"  {note}");
    }

    private static void WriteMeasurements(TextWriter writer, BenchReport report)
    {
        var table = new TextTable("model", "type", "states", "what", "batch>", "tokens/s>", "min>", "max>", "bytes/s>", "of copy>", "FLOP/s>", "of product>", "memory>");
        foreach (var measurement in report.Measurements)
            table.Add(
                measurement.Model,
                measurement.Type,
                Words.Of(measurement.StateType),
                What(measurement),
                measurement.Batch.ToString(CultureInfo.InvariantCulture),
                Rate(measurement.TokensPerSecond.Median),
                Rate(measurement.TokensPerSecond.Min),
                Rate(measurement.TokensPerSecond.Max),
                Scaled(measurement.BytesPerSecond, "B"),
                Share(measurement.BytesPerSecond / report.Limits.CopyBytesPerSecond),
                Scaled(measurement.FlopsPerSecond, "FLOP"),
                Share(measurement.FlopsPerSecond / report.Limits.ProductFlopsPerSecond),
                MemoryPlan.Size(measurement.AllocatedBytes));
        table.Write(writer);
    }

    private static void WriteKernels(TextWriter writer, Measurement measurement)
    {
        var total = measurement.Kernels.Sum(kernel => kernel.Seconds);
        var steps = measurement.Kind == MeasurementKind.Decode ? measurement.ProfiledTokens / measurement.Batch : 1;
        writer.WriteLine();
        var table = new TextTable($"{Name(measurement.Model, measurement.Architecture)} {measurement.Type}, {What(measurement)}, batch {measurement.Batch}", "dispatches>", "µs each>", measurement.Kind == MeasurementKind.Decode ? "µs a step>" : "µs>", "share>");
        foreach (var kernel in measurement.Kernels)
            table.Add(kernel.Name, Count(kernel.Dispatches, steps), Micro(kernel.Seconds / kernel.Dispatches), Micro(kernel.Seconds / steps), Share(kernel.Seconds / total));
        table.Add("all", Count(measurement.Kernels.Sum(kernel => kernel.Dispatches), steps), "", Micro(total / steps), "");
        table.Write(writer);
    }

    private static string Name(string model, Architecture architecture) => architecture == Architecture.RetNet ? model : $"{model} {architecture}";

    private static string What(Measurement measurement) => measurement.Kind == MeasurementKind.Prefill
        ? FormattableString.Invariant($"prefill {measurement.Tokens}")
        : FormattableString.Invariant($"decode {measurement.Tokens} at {measurement.Depth}");

    private static string Count(long dispatches, long steps) => FormattableString.Invariant($"{(double)dispatches / steps:0.#}");

    private static string Micro(double seconds) => FormattableString.Invariant($"{seconds * 1e6:F1}");

    public static string Rate(double value) => value.ToString(value < 1000 ? "F1" : "N0", CultureInfo.InvariantCulture);

    public static string Share(double value) => FormattableString.Invariant($"{value * 100:F0} %");

    /// <summary>In decimal units, three digits or more.</summary>
    public static string Scaled(double value, string unit)
    {
        var (scale, prefix) = value switch { >= 1e12 => (1e12, "T"), >= 1e9 => (1e9, "G"), >= 1e6 => (1e6, "M"), _ => (1e3, "k") };
        return FormattableString.Invariant($"{value / scale:0.##} {prefix}{unit}");
    }
}
