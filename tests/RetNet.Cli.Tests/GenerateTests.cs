using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace RetNet.Cli.Tests;

public sealed class GenerateTests(CliModel model) : IClassFixture<CliModel>
{
    private const int SigInt = 130;

    private CliResult Generate(params string[] arguments) => CliProgram.Run(["generate", "-m", model.Sound, "-d", "0", "-n", "12", .. arguments]);

    [Fact]
    public void StdoutIsThePromptItsContinuationAndALineBreak()
    {
        var result = Generate("Once", "--temp", "0");

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("Once", result.Output, StringComparison.Ordinal);
        Assert.True(result.Output.Length > 8);
        Assert.EndsWith("\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("generated: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("seed ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void GreedyAndSeededTextsRepeat()
    {
        Assert.Equal(Generate("Once", "--temp", "0", "--seed", "1").Output, Generate("Once", "--temp=0", "--seed", "2").Output);
        Assert.Equal(Generate("Once", "--seed", "5").Output, Generate("Once", "--seed=5").Output);
        Assert.NotEqual(Generate("Once", "--seed", "5").Output, Generate("Once", "--seed", "6").Output);
    }

    [Fact]
    public void TheSeedShownRepeatsTheText()
    {
        var first = Generate("Once");
        var seed = first.Error.Split("seed ")[1].Split(';')[0];

        Assert.Equal(first.Output, Generate("Once", "--seed", seed).Output);
    }

    [Fact]
    public void AStopTextEndsTheTextAndIsNotPrinted()
    {
        var whole = Generate("Once", "--temp", "0", "--ignore-eos").Output;
        var stop = whole.Substring(whole.Length / 2, 2);
        var end = whole.IndexOf(stop, 4, StringComparison.Ordinal);

        var result = Generate("--stop", "never to be met", "--stop", stop, "Once", "--temp", "0", "--ignore-eos");

        Assert.Equal(whole[..end] + "\n", result.Output);
        Assert.Contains("ended by a stop text", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1 is")]
    [InlineData("- he said")]
    [InlineData("--", "--")]
    [InlineData("-x", "--")]
    [InlineData("größer 😀 = 1")]
    public void OddPromptsAreTakenAsTheyAre(string prompt, string? before = null)
    {
        var result = before is null ? Generate(prompt) : Generate(before, prompt);

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith(prompt, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void APromptComesFromStdinOrAFileWithoutItsLastLineBreak()
    {
        var direct = Generate("größer", "--temp", "0").Output;
        var file = model.File("prompt.txt", Encoding.UTF8.GetBytes("größer\n"));

        Assert.Equal(direct, Generate("-f", file, "--temp", "0").Output);
        Assert.Equal(direct, CliProgram.Run(["generate", "-m", model.Sound, "-d", "0", "-n", "12", "-", "--temp", "0"], "größer\n").Output);
    }

    [Theory]
    [InlineData("C")]
    [InlineData("de_DE.ISO-8859-1")]
    public void OutputIsUtf8WithoutMarkInAnyLocale(string locale)
    {
        var result = CliProgram.Run(["generate", "-m", model.Sound, "-d", "0", "-n", "1", "größer"], "", ("LANG", locale), ("LC_ALL", locale));

        Assert.Equal(Encoding.UTF8.GetBytes("größer"), result.OutputBytes[..8]);
    }

    [Fact]
    public void QuietSaysNothingOnStderr() => Assert.Equal("", Generate("Once", "-q").Error);

    [Fact]
    public void NoTokensIsAValidNumberOfThem() => Assert.Equal("Once\n", Generate("Once", "-n", "0").Output);

    [Fact]
    public void AProfileNamesTheKernels() => Assert.Contains("retention_recurrent", Generate("Once", "--profile").Error, StringComparison.Ordinal);

    [Fact]
    public void CtrlCEndsWithWhatWasGenerated()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var process = CliProgram.Start(["generate", "-m", model.Sound, "-d", "0", "-n", "-1", "--ignore-eos", "Once"]);
        process.StandardInput.Close();
        var first = new byte[64];
        process.StandardOutput.BaseStream.ReadExactly(first);
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();

        var result = CliProgram.Finish(process);

        Assert.Equal(SigInt, result.ExitCode);
        Assert.EndsWith("\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("interrupted", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AReaderThatLeavesEndsTheProgramQuietly()
    {
        using var process = CliProgram.Start(["generate", "-m", model.Sound, "-d", "0", "-n", "-1", "--ignore-eos", "-q", "Once"]);
        process.StandardInput.Close();
        process.StandardOutput.BaseStream.ReadExactly(new byte[64]);
        process.StandardOutput.Close();

        Assert.True(process.WaitForExit(60_000));
        Assert.Equal("", process.StandardError.ReadToEnd());
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>More prompts than are decoded at once; each text is the one that its prompt has alone with its seed.</summary>
    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("64")]
    public void ManyPromptsAreNumberedAndInOrder(string parallel)
    {
        string[] prompts = ["Once", "größer 😀", " The old man", "a", "One day there was"];
        var file = model.File("prompts.txt", Encoding.UTF8.GetBytes(string.Concat("\n", string.Join("\r\n\n", prompts))));

        var result = Generate("--prompts", file, "--parallel", parallel, "--seed", "5");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(string.Concat(prompts.Select((prompt, i) => $"[{i + 1}] {Generate(prompt, "--seed", $"{5 + i}").Output}")), result.Output);
        Assert.Contains("prompts: 5, ", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"\([0-9.]+ tokens/s together, [0-9.]+ each\); seeds from 5;", result.Error);
    }

    [Fact]
    public void ManyPromptsEndAtStopTextsAndLengths()
    {
        var file = model.File("prompts.txt", "Once\nupon\n"u8.ToArray());
        string[] texts = [.. new[] { "Once", "upon" }.Select(prompt => Generate(prompt, "--temp", "0", "--ignore-eos").Output[..^1])];
        var stop = texts[0].Substring(texts[0].Length / 2, 2);
        var expected = texts.Select(text => text.IndexOf(stop, 4, StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text);

        Assert.Equal(string.Concat(expected.Select((text, i) => $"[{i + 1}] {text}\n")), Generate("--prompts", file, "--temp", "0", "--ignore-eos", "--stop", stop).Output);
        Assert.Equal("[1] Once\n[2] upon\n", Generate("--prompts", file, "-n", "0").Output);
        Assert.Equal("", Generate("--prompts", file, "-q").Error);
    }

    [Fact]
    public void CtrlCEndsManyPromptsWithWhatWasGenerated()
    {
        if (OperatingSystem.IsWindows())
            return;
        var file = model.File("endless.txt", "Once\nupon\n"u8.ToArray());
        using var process = CliProgram.Start(["generate", "-m", model.Sound, "-d", "0", "-n", "-1", "--ignore-eos", "--prompts", file]);
        process.StandardInput.Close();
        // The note on the device comes as it begins; the loading that follows takes a moment.
        Thread.Sleep(TimeSpan.FromSeconds(5));
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();

        var result = CliProgram.Finish(process);

        Assert.Equal(SigInt, result.ExitCode);
        Assert.StartsWith("[1] Once", result.Output, StringComparison.Ordinal);
        Assert.Contains("\n[2] upon", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TheBundledModelTellsATale()
    {
        var result = CliProgram.Run("generate", "Once upon a time", "--temp", "0", "-n", "12");

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("Once upon a time, there was a little girl named Lily.", result.Output, StringComparison.Ordinal);
    }
}
