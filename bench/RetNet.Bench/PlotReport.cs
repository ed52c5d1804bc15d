using RetNet.Bench.Plots;

namespace RetNet.Bench;

/// <summary>
/// A report as charts: decoding against the depth, or against the batch where only that varies, and prefill against the
/// length of the prompt. Each model, type and batch is a line. The paper's figure has its own, <see cref="PaperPlot"/>.
/// </summary>
public static class PlotReport
{
    private const string Rate = "tokens/s, all sequences together";

    /// <summary>The text of an SVG file.</summary>
    public static string Write(BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var charts = (report.Paper is null ? Charts(report) : PaperPlot.Charts(report)).Where(chart => chart.Series.Count > 0).ToList();
        var subtitle = FormattableString.Invariant($"{report.Device.Driver}, Vulkan {report.Device.Capabilities.ApiVersion}; {report.Program}, {report.Date.UtcDateTime:yyyy-MM-dd}");
        return SvgPage.Write($"RetNet on {report.Device.Name}", subtitle, charts);
    }

    private static IEnumerable<Chart> Charts(BenchReport report)
    {
        var decode = report.Measurements.Where(measurement => measurement.Kind == MeasurementKind.Decode).ToArray();
        var prefill = report.Measurements.Where(measurement => measurement.Kind == MeasurementKind.Prefill).ToArray();
        var byBatch = Distinct(decode, measurement => measurement.Depth) == 1 && Distinct(decode, measurement => measurement.Batch) > 1;
        yield return byBatch
            ? new("Decoding", "sequences at once", Rate, Lines(decode, measurement => measurement.Batch, named: false))
            : new("Decoding", "tokens taken in before", Rate, Lines(decode, measurement => measurement.Depth, named: true));
        yield return new("Prefill", "tokens of a prompt", Rate, Lines(prefill, measurement => measurement.Tokens, named: true));
    }

    private static int Distinct(Measurement[] measurements, Func<Measurement, int> of) => measurements.Select(of).Distinct().Count();

    private static List<Series> Lines(Measurement[] measurements, Func<Measurement, int> x, bool named) =>
    [
        .. measurements.GroupBy(measurement => (measurement.Model, measurement.Type, Batch: named ? measurement.Batch : 0)).Select(group => new Series(
            $"{group.Key.Model} {group.Key.Type}{(group.Key.Batch > 1 ? $" × {group.Key.Batch}" : "")}",
            [.. group.Select(measurement => new Point(x(measurement), measurement.TokensPerSecond.Median, measurement.TokensPerSecond.Min, measurement.TokensPerSecond.Max))])),
    ];
}
