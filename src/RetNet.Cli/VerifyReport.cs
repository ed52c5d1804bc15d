using System.Globalization;
using System.Text.Json;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>What <see cref="VerifyCommand"/> found, as tables or as JSON.</summary>
internal sealed class VerifyReport(string device, string driver, string model, IReadOnlyList<CheckResult> kernels, IReadOnlyList<CheckResult> forms, TimeSpan time) : ICheckReport
{
    /// <inheritdoc/>
    public bool IsRight => !kernels.Concat(forms).Any(result => result.IsWrong);

    private string Verdict
    {
        get
        {
            if (IsRight)
                return "this device computes right";
            var wrong = kernels.Where(result => result.IsWrong).Select(result => result.Name).ToArray();
            var wrongForms = forms.Where(result => result.IsWrong).Select(result => $"{result.Name} against {result.Against}").ToArray();
            var parts = new List<string>();
            if (wrong.Length > 0)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{wrong.Length} of {kernels.Count(result => result.HasRun)} kernels are wrong on this driver: {string.Join(", ", wrong)}"));
            if (wrongForms.Length > 0)
                parts.Add($"the model is computed wrong: {string.Join(", ", wrongForms)}");
            return $"{string.Join("; ", parts)}; report it with `retnet devices --json`";
        }
    }

    /// <inheritdoc/>
    public void Write(TextWriter writer)
    {
        writer.WriteLine($"{device} ({driver})");
        writer.WriteLine();
        WriteTable(writer, new("kernel", "cases>", "error>", "allowed>", "uses", "result"), kernels, result => result.Uses.Count == 0 ? "base" : string.Join(", ", result.Uses));
        writer.WriteLine();
        WriteTable(writer, new($"model {model}", "tokens>", "error>", "allowed>", "against", "result"), forms, result => result.Against);
        writer.WriteLine();
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"error: max|Δ| / max|reference|; {time.TotalSeconds:0.0} s"));
        writer.WriteLine($"verdict: {Verdict}");
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("device", device);
        json.WriteString("driver", driver);
        json.WriteBoolean("right", IsRight);
        json.WriteString("verdict", Verdict);
        WriteResults(json, "kernels", kernels);
        json.WriteString("model", model);
        WriteResults(json, "forms", forms);
        json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 1));
        json.WriteEndObject();
    }

    private static void WriteTable(TextWriter writer, TextTable table, IReadOnlyList<CheckResult> results, Func<CheckResult, string> column)
    {
        foreach (var result in results)
        {
            var run = result.HasRun;
            table.Add(result.Name, run ? Text(result.Cases) : "-", run ? Text(result.Error) : "-", Text(result.Allowed), column(result), Result(result));
        }

        table.Write(writer);
    }

    private static string Result(CheckResult result) => result switch
    {
        { Problem: { } problem } => $"WRONG: {problem}",
        { Missing.Count: > 0 } => $"cannot run here: the device has no {string.Join(", no ", result.Missing)}",
        { Note: { } note } => result.HasRun ? $"right; {note}" : note,
        _ => "right",
    };

    private static void WriteResults(Utf8JsonWriter json, string name, IReadOnlyList<CheckResult> results)
    {
        json.WriteStartArray(name);
        foreach (var result in results)
        {
            json.WriteStartObject();
            json.WriteString("name", result.Name);
            json.WriteString("against", result.Against);
            WriteTexts(json, "uses", result.Uses);
            WriteTexts(json, "missing", result.Missing);
            json.WriteNumber("cases", result.Cases);
            // JSON has no infinity.
            if (double.IsFinite(result.Error))
                json.WriteNumber("error", result.Error);
            else
                json.WriteNull("error");
            json.WriteNumber("allowed", result.Allowed);
            json.WriteString("problem", result.Problem);
            json.WriteString("note", result.Note);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("0.0e+0", CultureInfo.InvariantCulture);
}
