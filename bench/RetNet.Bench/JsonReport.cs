using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RetNet.Vulkan.Gpu;

namespace RetNet.Bench;

/// <summary>A report as JSON, with every run and figure (docs/benchmarks.md describes it).</summary>
public static class JsonReport
{
    /// <summary>The text, indented.</summary>
    public static string Write(BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(json, report);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static void Write(Utf8JsonWriter json, BenchReport report)
    {
        json.WriteStartObject();
        json.WriteString("program", report.Program);
        json.WriteString("date", report.Date.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        Write(json, report.Device);
        json.WriteStartObject("limits");
        json.WriteNumber("copyBytesPerSecond", Rounded(report.Limits.CopyBytesPerSecond));
        json.WriteString("copyBy", report.Limits.CopyBy);
        json.WriteNumber("productFlopsPerSecond", Rounded(report.Limits.ProductFlopsPerSecond));
        json.WriteString("productShape", report.Limits.ProductShape);
        json.WriteEndObject();
        WriteArray(json, "models", report.Models, Write);
        WriteArray(json, "measurements", report.Measurements, (into, measurement) => Write(into, measurement, report.Limits));
        if (report.Paper is not null)
            WriteArray(json, "comparisons", PaperComparison.Of(report), Write);
        WriteArray(json, "skipped", report.Skipped, (into, skipped) =>
        {
            into.WriteString("what", skipped.What);
            into.WriteString("reason", skipped.Reason);
        });
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, PhysicalGpu device)
    {
        json.WriteStartObject("device");
        json.WriteString("name", device.Name);
        json.WriteString("vendor", device.Vendor);
        json.WriteString("driver", device.Driver);
        json.WriteString("vulkan", device.Capabilities.ApiVersion.ToString());
        json.WriteNumber("memoryBytes", device.Capabilities.DeviceMemoryBytes);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ModelResult model)
    {
        json.WriteString("name", model.Name);
        json.WriteString("architecture", Words.Of(model.Architecture));
        json.WriteString("type", model.Type);
        json.WriteString("file", model.File is null ? null : Path.GetFileName(model.File));
        json.WriteStartObject("shape");
        json.WriteNumber("width", model.Config.Width);
        json.WriteNumber("layers", model.Config.Layers);
        json.WriteNumber("heads", model.Config.Heads);
        json.WriteNumber("keySize", model.Config.KeySize);
        json.WriteNumber("valueSize", model.Config.ValueSize);
        json.WriteNumber("feedForwardSize", model.Config.FeedForwardSize);
        json.WriteNumber("vocabularySize", model.Config.VocabularySize);
        json.WriteEndObject();
        json.WriteNumber("parameters", model.Parameters);
        json.WriteNumber("weightBytes", model.WeightBytes);
        json.WriteNumber("loadSeconds", Rounded(model.LoadSeconds));
        json.WriteNumber("firstTokenSeconds", Rounded(model.FirstTokenSeconds));
        json.WriteNumber("secondStartSeconds", Rounded(model.SecondStartSeconds));
        json.WriteStartArray("notes");
        foreach (var note in model.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Measurement measurement, DeviceLimits limits)
    {
        json.WriteString("model", measurement.Model);
        json.WriteString("architecture", Words.Of(measurement.Architecture));
        json.WriteString("type", measurement.Type);
        json.WriteString("stateType", Words.Of(measurement.StateType));
        json.WriteString("kind", Words.Of(measurement.Kind));
        json.WriteNumber("batch", measurement.Batch);
        json.WriteNumber("depth", measurement.Depth);
        json.WriteNumber("tokens", measurement.Tokens);
        json.WriteStartArray("tokensPerSecond");
        foreach (var value in measurement.TokensPerSecond.Values)
            json.WriteNumberValue(Rounded(value));
        json.WriteEndArray();
        json.WriteNumber("median", Rounded(measurement.TokensPerSecond.Median));
        json.WriteNumber("min", Rounded(measurement.TokensPerSecond.Min));
        json.WriteNumber("max", Rounded(measurement.TokensPerSecond.Max));
        if (measurement.Kind == MeasurementKind.Decode)
            json.WriteNumber("secondsPerToken", Rounded(measurement.SecondsPerToken));
        json.WriteNumber("bytesPerSecond", Rounded(measurement.BytesPerSecond));
        json.WriteNumber("shareOfCopy", Rounded(measurement.BytesPerSecond / limits.CopyBytesPerSecond));
        json.WriteNumber("flopsPerSecond", Rounded(measurement.FlopsPerSecond));
        json.WriteNumber("shareOfProduct", Rounded(measurement.FlopsPerSecond / limits.ProductFlopsPerSecond));
        json.WriteNumber("allocatedBytes", measurement.AllocatedBytes);
        if (measurement.DriverBytes is { } bytes)
            json.WriteNumber("driverBytes", bytes);
        else
            json.WriteNull("driverBytes");
        json.WriteNumber("profiledTokens", measurement.ProfiledTokens);
        WriteArray(json, "kernels", measurement.Kernels, (into, kernel) =>
        {
            into.WriteString("name", kernel.Name);
            into.WriteNumber("dispatches", kernel.Dispatches);
            into.WriteNumber("seconds", Rounded(kernel.Seconds));
        });
    }

    private static void Write(Utf8JsonWriter json, PaperComparison comparison)
    {
        json.WriteString("model", comparison.RetNet.Model);
        json.WriteString("type", comparison.RetNet.Type);
        json.WriteNumber("depth", comparison.RetNet.Depth);
        json.WriteNumber("batch", comparison.RetNet.Batch);
        json.WriteNumber("throughputRatio", Rounded(comparison.Throughput));
        json.WriteNumber("memoryRatio", Rounded(comparison.Memory));
        json.WriteNumber("largestRetNetBatch", comparison.LargestRetNet.Batch);
        json.WriteNumber("largestTransformerBatch", comparison.LargestTransformer.Batch);
        json.WriteNumber("largestThroughputRatio", Rounded(comparison.LargestThroughput));
        json.WriteNumber("paperThroughputRatio", PaperComparison.PaperThroughput);
    }

    private static void WriteArray<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(json, item);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Six digits: more are noise.</summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
