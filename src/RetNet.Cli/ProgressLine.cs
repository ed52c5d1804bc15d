using System.Globalization;

namespace RetNet.Cli;

/// <summary>A line of a terminal that is written over as work goes on. Written by one thread.</summary>
internal sealed class ProgressLine(TextWriter writer, string title) : IProgress<double>
{
    private const int BarWidth = 30;
    private const string EraseLine = "\r\e[K";
    private (int Percent, string Title) _shown = (-1, "");

    /// <summary>What is going on.</summary>
    public string Title { get; set; } = title;

    /// <summary>Shows a share, 0 to 1.</summary>
    public void Report(double value)
    {
        var percent = (int)(value * 100);
        if (_shown == (percent, Title))
            return;
        _shown = (percent, Title);
        var bar = new string('#', percent * BarWidth / 100).PadRight(BarWidth, '.');
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{EraseLine}{Title} [{bar}] {percent,3} %"));
    }

    /// <summary>Takes the line away.</summary>
    public void Clear() => writer.Write(EraseLine);
}
