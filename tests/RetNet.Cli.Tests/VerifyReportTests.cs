using System.Text.Json;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli.Tests;

/// <summary>What 'retnet verify' says of results; the checks themselves are tested with the library.</summary>
public sealed class VerifyReportTests
{
    private static readonly CheckResult Right = new() { Name = "norm", Against = "oracle", Cases = 4, Error = 1e-7, Allowed = 3e-6 };

    private static readonly CheckResult Wrong = Right with { Name = "rotate", Error = double.PositiveInfinity, Problem = "dk 2: x 3 of 4 is NaN, not 1" };

    private static readonly CheckResult Missing = Right with { Name = "matvec_lane_f16", Cases = 0, Uses = ["64-bit integers"], Missing = ["64-bit integers"] };

    [Fact]
    public void NothingWrong()
    {
        var report = Report([Right, Missing], [Right with { Name = "recurrent", Note = "3 of 70 tokens" }]);
        var text = Text(report);

        Assert.True(report.IsRight);
        Assert.EndsWith("verdict: this device computes right\n", text, StringComparison.Ordinal);
        Assert.Contains("cannot run here: the device has no 64-bit integers", text, StringComparison.Ordinal);
        Assert.Contains("right; 3 of 70 tokens", text, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongKernelsAndFormsAreNamed()
    {
        var report = Report([Right, Wrong, Missing], [Wrong with { Name = "parallel", Against = "recurrent" }]);

        Assert.False(report.IsRight);
        Assert.EndsWith(
            "verdict: 1 of 2 kernels are wrong on this driver: rotate; the model is computed wrong: parallel against recurrent; report it with `retnet devices --json`\n",
            Text(report), StringComparison.Ordinal);
    }

    [Fact]
    public void JsonHasEveryResult()
    {
        using var writer = new StringWriter();
        JsonOutput.Write(writer, Report([Right, Wrong, Missing], [Right]).Write);
        using var json = JsonDocument.Parse(writer.ToString());

        Assert.False(json.RootElement.GetProperty("right").GetBoolean());
        var kernels = json.RootElement.GetProperty("kernels");
        Assert.Equal(3, kernels.GetArrayLength());
        Assert.Equal(JsonValueKind.Null, kernels[1].GetProperty("error").ValueKind);
        Assert.Equal("64-bit integers", kernels[2].GetProperty("missing")[0].GetString());
    }

    private static VerifyReport Report(CheckResult[] kernels, CheckResult[] forms) => new("a device", "a driver", "a model", kernels, forms, TimeSpan.FromSeconds(2));

    private static string Text(VerifyReport report)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        report.Write(writer);
        return writer.ToString();
    }
}
