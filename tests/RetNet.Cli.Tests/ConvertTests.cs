namespace RetNet.Cli.Tests;

/// <summary>What `retnet convert` takes, and how it refuses the rest.</summary>
public sealed class ConvertTests : IDisposable
{
    private static readonly float[] Values = [1, 2, 3];
    private readonly TemporaryFolder _folder = new();

    private string Output => _folder.File("model.gguf");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_base", "checkpoint_fairseq.pt")]
    [InlineData("torchscale_base", "model.bf16.safetensors")]
    [InlineData("syncdoth_ffn", "pytorch_model.bin")]
    [InlineData("fla_gqa_tied")]
    public void FoldersAndFiles(params string[] source)
    {
        CliResult result = CliProgram.Run("convert", Repository.Fixture(source), "-o", Output);

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith(Output, result.Output, StringComparison.Ordinal);
        Assert.Equal(0, CliProgram.Run("inspect", Output).ExitCode);
    }

    [Fact]
    public void AMaliciousPickle() => Refuses(
        "contains the Python object os.system, which is not a tensor or plain value; re-save it with torch.save(model.state_dict())",
        new TestPickle().Global("os", "system").Raw("(").Text($"touch {_folder.File("touched")}").Raw("tR").Save(_folder.File("model.pt")));

    [Fact]
    public void AMaliciousName() => Refuses(
        "contains the Python object o", new TestPickle().Global("o\r\u001B[2Js", new string('x', 5000)).Save(_folder.File("model.pt")));

    [Fact]
    public void AStateDictWithoutSettings() => Refuses(
        "put the model's config.json there", new TestPickle().Raw("}").Text("embed_tokens.weight").Tensor(Values, [3], [1]).Raw("s").Save(_folder.File("model.pt")));

    [Fact]
    public void AnotherModel()
    {
        File.WriteAllText(_folder.File("config.json"), "{}");
        Refuses("holds no RetNet of a known dialect", new TestPickle().Raw("}").Text("wte.weight").Tensor(Values, [3], [1]).Raw("s").Save(_folder.File("model.pt")));
    }

    [Fact]
    public void ATruncatedCheckpoint()
    {
        byte[] whole = File.ReadAllBytes(Repository.Fixture("torchscale_base", "checkpoint_fairseq.pt"));
        File.WriteAllBytes(_folder.File("model.pt"), whole[..^500]);
        Refuses("truncated, fetch it again", _folder.File("model.pt"));
    }

    [Fact]
    public void AHybridModel()
    {
        File.Copy(Repository.Fixture("fla_base", "model.safetensors"), _folder.File("model.safetensors"));
        string config = File.ReadAllText(Repository.Fixture("fla_base", "config.json"));
        File.WriteAllText(_folder.File("config.json"), config.Replace("\"attn\": null", "\"attn\": {\"layers\": [1]}", StringComparison.Ordinal));
        Refuses("'attn' is {\"layers\": [1]}, expected null: such layers are not supported", _folder.Path);
    }

    private void Refuses(string expected, string source)
    {
        HashSet<string> before = [.. Directory.GetFiles(_folder.Path)];
        CliResult result = CliProgram.Run("convert", source, "-o", Output);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("retnet: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001B', line);
        Assert.DoesNotContain("internal error", line, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(_folder.Path).ToHashSet());
    }
}
