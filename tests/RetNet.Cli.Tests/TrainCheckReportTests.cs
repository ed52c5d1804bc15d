using System.Text.Json;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli.Tests;

/// <summary>What 'retnet train-check' says of comparisons; the comparisons themselves are tested with the library.</summary>
public sealed class TrainCheckReportTests
{
    private static readonly TrainingComparison Right = new(
        "parallel", "oracle", 1e-7, [new("token_embd.weight", 2e-6, 3e-6, 7e-4), new("output_norm.weight", 1e-6, 4e-6, 5e-6)], TrainingLimits.Parity);

    private static readonly TrainingComparison Wrong = Right with { Of = "chunks of 16", Tensors = [Right.Tensors[0], new("output_norm.weight", 0.25, double.NaN)] };

    private static readonly TrainingComparison Differences = new("oracle", "differences", null, [new("token_embd.weight", 1e-7)], TrainingLimits.Parity) { Note = "1 weight" };

    [Fact]
    public void NothingWrong()
    {
        var report = Report(Right, Differences, Wrong with { Limits = null });
        var text = Text(report);

        Assert.True(report.IsRight);
        Assert.EndsWith("verdict: this device trains right\n", text, StringComparison.Ordinal);
        Assert.Contains("oracle − differences: 1 weight\n", text, StringComparison.Ordinal);
        Assert.Contains("a gradient rounded by 1e-5 of its tensor's root mean square", text, StringComparison.Ordinal);
        Assert.Contains("7.0e-4", text, StringComparison.Ordinal);
        Assert.Contains("their ε differ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("WRONG", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsBeyondItsLimitIsNamed()
    {
        var report = Report(Right, Wrong with { Loss = 0.1 }, Differences);
        var text = Text(report);

        Assert.False(report.IsRight);
        Assert.EndsWith(
            "verdict: beyond their limits: chunks of 16 − oracle (the loss, 1 gradients, most output_norm.weight, 1 updates, most output_norm.weight); report it with `retnet devices --json`\n",
            text, StringComparison.Ordinal);
        Assert.Contains("WRONG 2.5e-1", text, StringComparison.Ordinal);
    }

    [Fact]
    public void JsonHasEveryTensor()
    {
        using var writer = new StringWriter();
        JsonOutput.Write(writer, Report(Right, Wrong, Differences).Write);
        using var json = JsonDocument.Parse(writer.ToString());

        Assert.False(json.RootElement.GetProperty("right").GetBoolean());
        var comparisons = json.RootElement.GetProperty("comparisons");
        Assert.Equal(3, comparisons.GetArrayLength());
        Assert.Equal(2e-6, comparisons[0].GetProperty("tensors")[0].GetProperty("gradient").GetDouble());
        Assert.Equal(7e-4, comparisons[0].GetProperty("tensors")[0].GetProperty("plain_update").GetDouble());
        Assert.Equal(JsonValueKind.Null, comparisons[1].GetProperty("tensors")[1].GetProperty("update").ValueKind);
        Assert.Equal(JsonValueKind.Null, comparisons[2].GetProperty("loss").ValueKind);
    }

    private static TrainCheckReport Report(params TrainingComparison[] comparisons) => new("a device", "a driver", "a model", "3 steps", comparisons, TimeSpan.FromSeconds(2));

    private static string Text(TrainCheckReport report)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        report.Write(writer);
        return writer.ToString();
    }
}
