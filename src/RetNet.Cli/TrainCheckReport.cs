using System.Globalization;
using System.Text.Json;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>What <see cref="TrainCheckCommand"/> found, as tables or as JSON.</summary>
internal sealed class TrainCheckReport(string device, string driver, string model, string steps, IReadOnlyList<TrainingComparison> comparisons, TimeSpan time) : ICheckReport
{
    /// <inheritdoc/>
    public bool IsRight => !comparisons.Any(comparison => comparison.IsWrong);

    private string Verdict => IsRight
        ? "this device trains right"
        : $"beyond their limits: {string.Join("; ", comparisons.Where(comparison => comparison.IsWrong).Select(Problem))}; report it with `retnet devices --json`";

    /// <inheritdoc/>
    public void Write(TextWriter writer)
    {
        writer.WriteLine($"{device} ({driver})");
        writer.WriteLine($"{model}: {steps}");
        writer.WriteLine();
        WriteTensors(writer, "gradient of the first step", comparisons, tensor => tensor.Gradient, (comparison, tensor) => comparison.IsGradientWrong(tensor));
        writer.WriteLine();
        WriteTensors(
            writer, "update of all steps", [.. comparisons.Where(comparison => comparison.WorstUpdate is not null)], tensor => tensor.Update, (comparison, tensor) => comparison.IsUpdateWrong(tensor));
        writer.WriteLine();
        WriteSummary(writer);
        writer.WriteLine();
        foreach (var comparison in comparisons.Where(comparison => comparison.Note is not null))
            writer.WriteLine($"{Name(comparison)}: {comparison.Note}");
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"differences: |Δ| / |reference| of a tensor; {time.TotalSeconds:0.0} s"));
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"updates: of each element without what AdamW makes of a gradient rounded by {TrainingComparison.Rounding:0e-0} of its tensor's root mean square; plain: with it"));
        writer.WriteLine($"verdict: {Verdict}");
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("device", device);
        json.WriteString("driver", driver);
        json.WriteString("model", model);
        json.WriteString("steps", steps);
        json.WriteBoolean("right", IsRight);
        json.WriteString("verdict", Verdict);
        json.WriteNumber("gradient_rounding", TrainingComparison.Rounding);
        json.WriteStartArray("comparisons");
        foreach (var comparison in comparisons)
            Write(json, comparison);
        json.WriteEndArray();
        json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 1));
        json.WriteEndObject();
    }

    private static string Name(TrainingComparison comparison) => $"{comparison.Of} − {comparison.Against}";

    private static string Problem(TrainingComparison comparison)
    {
        var gradients = comparison.Tensors.Count(comparison.IsGradientWrong);
        var updates = comparison.Tensors.Count(comparison.IsUpdateWrong);
        var parts = new List<string>();
        if (comparison.IsLossWrong)
            parts.Add("the loss");
        if (gradients > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{gradients} gradients, most {comparison.WorstGradient.Name}"));
        if (updates > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{updates} updates, most {comparison.WorstUpdate!.Name}"));
        return $"{Name(comparison)} ({string.Join(", ", parts)})";
    }

    private static void WriteTensors(
        TextWriter writer, string heading, IReadOnlyList<TrainingComparison> of, Func<TensorDifference, double?> value, Func<TrainingComparison, TensorDifference, bool> isWrong)
    {
        var table = new TextTable([heading, .. of.Select(comparison => Name(comparison) + ">")]);
        foreach (var name in of[0].Tensors.Select(tensor => tensor.Name))
            table.Add([name, .. of.Select(comparison => Cell(comparison, comparison.Tensors.FirstOrDefault(tensor => tensor.Name == name)))]);
        table.Write(writer);

        string Cell(TrainingComparison comparison, TensorDifference? tensor) =>
            tensor is null || value(tensor) is not { } difference ? "-" : (isWrong(comparison, tensor) ? "WRONG " : "") + Text(difference);
    }

    private void WriteSummary(TextWriter writer)
    {
        var table = new TextTable("compared", "loss>", "allowed>", "gradient>", "allowed>", "update>", "allowed>", "plain>", "result");
        foreach (var comparison in comparisons)
        {
            var limits = comparison.Limits;
            table.Add(
                Name(comparison),
                Text(comparison.Loss),
                Text(comparison.Loss is null ? null : limits?.Loss),
                Text(comparison.WorstGradient.Gradient),
                Text(limits?.Gradient),
                Text(comparison.WorstUpdate?.Update),
                Text(comparison.WorstUpdate is null ? null : limits?.Update),
                Text(comparison.WorstPlainUpdate?.PlainUpdate),
                comparison.IsWrong ? "WRONG" : limits is null ? "their ε differ" : "right");
        }

        table.Write(writer);
    }

    private static void Write(Utf8JsonWriter json, TrainingComparison comparison)
    {
        json.WriteStartObject();
        json.WriteString("of", comparison.Of);
        json.WriteString("against", comparison.Against);
        json.WriteBoolean("right", !comparison.IsWrong);
        json.WriteString("note", comparison.Note);
        WriteNumber(json, "loss", comparison.Loss);
        WriteNumber(json, "allowed_loss", comparison.Loss is null ? null : comparison.Limits?.Loss);
        WriteNumber(json, "allowed_gradient", comparison.Limits?.Gradient);
        WriteNumber(json, "allowed_update", comparison.WorstUpdate is null ? null : comparison.Limits?.Update);
        json.WriteStartArray("tensors");
        foreach (var tensor in comparison.Tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Name);
            WriteNumber(json, "gradient", tensor.Gradient);
            WriteNumber(json, "update", tensor.Update);
            WriteNumber(json, "plain_update", tensor.PlainUpdate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // JSON has no infinity and no NaN.
    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    private static string Text(double? value) => value?.ToString("0.0e+0", CultureInfo.InvariantCulture) ?? "-";
}
