using System.Globalization;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>
/// What a run tells while it goes: a line that changes in place where somebody may be watching, otherwise a line at every
/// validation and checkpoint.
/// </summary>
/// <param name="writer">Where to.</param>
/// <param name="watched">Whether somebody may be watching; null tells nothing.</param>
/// <param name="steps">Steps of the whole run.</param>
/// <param name="start">Where the run stood when it began.</param>
internal sealed class TrainingProgress(TextWriter writer, bool? watched, int steps, TrainingState start) : IDisposable
{
    /// <summary>Steps that a figure of speed is taken over.</summary>
    private const int Recent = 20;

    private readonly ProgressLine? _line = watched == true ? new(writer, "training") : null;
    private readonly Queue<(double Seconds, int Tokens)> _recent = new([(start.Seconds, 0)]);
    private float _validation = start.History.LastOrDefault(row => float.IsFinite(row.ValidationLoss)) is { ValidationLoss: > 0 and var loss } ? loss : float.NaN;

    public void Report(TrainingRow row)
    {
        _recent.Enqueue((row.Seconds, row.Tokens));
        if (_recent.Count > Recent)
            _recent.Dequeue();
        var validated = float.IsFinite(row.ValidationLoss);
        if (validated)
            _validation = row.ValidationLoss;
        if (_line is not null)
        {
            _line.Title = Text(row);
            _line.Report((double)row.Step / steps);
        }
        else if (validated && watched is not null)
        {
            writer.WriteLine($"retnet: {Text(row)}");
        }
    }

    public void Saved(string path)
    {
        if (watched is null)
            return;
        Clear();
        writer.WriteLine($"retnet: saved {path}");
    }

    public void Clear() => _line?.Clear();

    public void Dispose() => Clear();

    private string Text(TrainingRow row)
    {
        var seconds = row.Seconds - _recent.Peek().Seconds;
        var speed = seconds > 0 ? _recent.Skip(1).Sum(step => step.Tokens) / seconds : 0;
        var left = seconds / Math.Max(_recent.Count - 1, 1) * (steps - row.Step);
        var loss = float.IsFinite(row.Loss) ? string.Create(CultureInfo.InvariantCulture, $", loss {row.Loss:0.0000}") : "";
        var validation = float.IsFinite(_validation) ? string.Create(CultureInfo.InvariantCulture, $", validation {_validation:0.0000}") : "";
        var rate = row.Step > start.Step ? string.Create(CultureInfo.InvariantCulture, $", {speed:N0} tokens/s, {TimeSpan.FromSeconds(Math.Round(left)):c} to go") : "";
        return string.Create(CultureInfo.InvariantCulture, $"step {row.Step}/{steps}{loss}{validation}{rate}");
    }
}
