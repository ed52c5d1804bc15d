using System.Text.Json;
using System.Xml.Linq;

namespace RetNet.Cli.Tests;

/// <summary>The bench as a program: what it prints and writes, not how fast anything is.</summary>
public sealed class BenchTests(CliModel model) : IClassFixture<CliModel>
{
    private static readonly string[] Micro = ["--shape", "64,1,2,8,16,32,90", "-n", "2", "--runs", "2", "-p", "5", "-q", "-d", "0"];

    [Fact]
    public void ATableOfEverything()
    {
        var result = Bench([.. Micro, "--type", "f32,iq4_nl", "--depth", "0,100", "--state-type", "f16"]);

        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        foreach (var part in new[] { "plain copy by", "plain product", "first token after", "decode 2 at 0", "decode 2 at 100", "prefill 5", "f32", "iq4_nl" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
        Assert.Equal(6, result.Output.Split('\n').Count(line => line.StartsWith("64,1,2,8,16,32,90  ", StringComparison.Ordinal)));
    }

    [Fact]
    public void AModelsFileAsJson()
    {
        var result = Bench("-m", model.Sound, "-n", "1", "--runs", "1", "-p", "3,4", "--depth", "9", "-q", "--json", "-");

        using var json = JsonDocument.Parse(result.OutputBytes);
        var measured = json.RootElement.GetProperty("measurements").EnumerateArray().Select(entry => (entry.GetProperty("kind").GetString(), entry.GetProperty("depth").GetInt32(), entry.GetProperty("tokens").GetInt32()));
        Assert.Equal([("decode", 9, 1), ("prefill", 0, 3), ("prefill", 0, 4)], measured);
        Assert.Equal("sound.gguf", json.RootElement.GetProperty("models")[0].GetProperty("file").GetString());
    }

    [Fact]
    public void FilesOfEveryKind()
    {
        var (json, csv, svg) = (Path.Combine(model.Folder, "b.json"), Path.Combine(model.Folder, "b.csv"), Path.Combine(model.Folder, "b.svg"));
        var result = Bench([.. Micro, "--json", json, "--csv", csv, "--plot", svg, "--profile"]);

        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.True(document.RootElement.GetProperty("measurements")[0].GetProperty("kernels").GetArrayLength() > 5);
        Assert.Equal(3, File.ReadAllLines(csv).Length);
        Assert.Equal("svg", XDocument.Load(svg).Root!.Name.LocalName);
        Assert.Contains(": logits", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--shape: a shape is one of tiny, 350m", "--shape", "huge")]
    [InlineData("--shape: a shape's DK must be even", "--shape", "64,1,2,7,16,32,90")]
    [InlineData("--type must be one or more of f32, f16, bf16, q8_0, q4_0, iq4_nl, separated by commas; it has 'q5'", "--shape", "tiny", "--type", "f16,q5")]
    [InlineData("--type is for --shape", "--type", "f16")]
    [InlineData("give one of them", "--shape", "tiny", "-m", "model.gguf")]
    [InlineData("--batch takes whole numbers from 1 to 4096 separated by commas; it has '0'", "--batch", "8,0")]
    [InlineData("--prompt takes whole numbers", "--prompt", "512,")]
    [InlineData("--depth takes whole numbers", "--depth", "99999999999")]
    [InlineData("--tokens must be 0 to 65536", "-n", "-1")]
    [InlineData("--runs must be 1 to 1000", "--runs", "0")]
    [InlineData("cannot both be written", "--json", "-", "--csv", "-")]
    [InlineData("--plot writes a file", "--plot", "-")]
    [InlineData("--state-type must be f32 or f16", "--state-type", "f8")]
    [InlineData("'tiny' belongs to no option", "tiny")]
    [InlineData("--context is for --paper", "--context", "8k")]
    [InlineData("--batch-sweep is for --paper", "--batch-sweep", "8")]
    [InlineData("--context takes whole numbers from 1 to 1048576 separated by commas; it has '2M'", "--paper", "--context", "8k,2M")]
    [InlineData("--context takes whole numbers", "--paper", "--context", "1025k")]
    [InlineData("--batch-sweep takes whole numbers from 1 to 64", "--paper", "--batch-sweep", "65")]
    [InlineData("--batch takes whole numbers from 1 to 64", "--paper", "-b", "128")]
    [InlineData("--paper measures a shape", "--paper", "-m", "model.gguf")]
    [InlineData("--depth is not for it", "--paper", "--depth", "5")]
    [InlineData("--tokens must be at least 1", "--paper", "-n", "0")]
    [InlineData("--shape: a Transformer's width is a multiple of 32", "--paper", "--shape", "72,1,2,8,16,32,90")]
    public void AWrongCommandLine(string expected, params string[] arguments) => Fails(2, expected, Bench(arguments));

    [Fact]
    public void ThePapersFigure()
    {
        var (json, svg) = (Path.Combine(model.Folder, "p.json"), Path.Combine(model.Folder, "p.svg"));
        var result = Bench("--paper", "--shape", "64,1,2,16,48,96,90", "-t", "q8_0", "-n", "2", "--runs", "1", "--context", "40,1k", "-b", "1", "--batch-sweep", "1,3", "-q", "-d", "0", "--json", json, "--plot", svg);

        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        foreach (var part in new[] { "64,1,2,16,48,96,90 Transformer q8_0: ", "ms a token", "at 1,024 tokens of context, RetNet over Transformer", "batch 3, the largest measured of both", "8.4 × the tokens/s" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.Equal(6, document.RootElement.GetProperty("measurements").GetArrayLength());
        Assert.Equal("svg", XDocument.Load(svg).Root!.Name.LocalName);
    }

    [Fact]
    public void AnOutputThatCannotBeWritten()
    {
        var written = Path.Combine(model.Folder, "written.json");
        Fails(1, "none/b.svg: cannot be written", Bench([.. Micro, "--json", written, "--plot", model.Folder + "/none/b.svg"]));
        Assert.False(File.Exists(written));
    }

    [Fact]
    public void WhatDoesNotFitIsLeftOut()
    {
        const string Huge = "1048576,256,1024,1024,1024,1048576,1048576";
        var json = Path.Combine(model.Folder, "left-out.json");

        Fails(1, "does not fit", Bench("--shape", Huge, "-q", "-d", "0", "--json", json));
        Assert.False(File.Exists(json));
        var both = Bench([.. Micro, "--shape", Huge]);
        Assert.Equal(0, both.ExitCode);
        Assert.Contains("left out: " + Huge, both.Error, StringComparison.Ordinal);
        Assert.Contains("decode 2 at 0", both.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingModel() => Fails(1, "no such file", Bench("-m", model.Folder + "/none.gguf"));

    private static CliResult Bench(params string[] arguments) => CliProgram.Run(["bench", .. arguments]);

    private static void Fails(int code, string expected, CliResult result)
    {
        Assert.Equal(("", code), (result.Output, result.ExitCode));
        var line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => !line.StartsWith("retnet: no GPU found", StringComparison.Ordinal));
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }
}
