using RetNet.Bench.Plots;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>Loss and validation loss of a run against its steps.</summary>
internal static class LossPlot
{
    private const int MostPoints = 500;

    /// <summary>The text of an SVG file.</summary>
    public static string Write(string title, IReadOnlyList<TrainingRow> history)
    {
        var steps = history.Where(row => float.IsFinite(row.Loss)).ToArray();
        var chart = new Chart("Loss", "step", "nats a token",
        [
            new("training", [.. steps.Chunk(Math.Max((steps.Length + MostPoints - 1) / MostPoints, 1)).Select(Mean)]),
            new("validation", [.. history.Where(row => float.IsFinite(row.ValidationLoss)).Select(row => At(row.Step, row.ValidationLoss))]),
        ]) { ToScale = true };
        return SvgPage.Write(title, HelpPage.Heading, [chart with { Series = [.. chart.Series.Where(series => series.Points.Count > 0)] }]);
    }

    private static Point Mean(TrainingRow[] rows) => At(rows[^1].Step, rows.Average(row => row.Loss));

    private static Point At(int step, double loss) => new(step, loss, loss, loss);
}
