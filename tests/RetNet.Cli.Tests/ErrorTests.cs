using System.Text;

namespace RetNet.Cli.Tests;

/// <summary>Every error is one line on stderr, nothing on stdout, and the right exit code.</summary>
public sealed class ErrorTests(CliModel model) : IClassFixture<CliModel>
{
    private static readonly (string, string?)[] NoDriver =
        [("VK_DRIVER_FILES", "/dev/null"), ("VK_ICD_FILENAMES", "/dev/null"), ("VK_ADD_DRIVER_FILES", null)];

    [Theory]
    [InlineData("there is no verb 'generat'", "generat")]
    [InlineData("there is no verb '--frobnicate'", "--frobnicate")]
    [InlineData("unknown option '--frobnicate'", "generate", "--frobnicate")]
    [InlineData("unknown option '-x'", "generate", "-x")]
    [InlineData("option -n needs a value", "generate", "-n")]
    [InlineData("option --quiet takes no value", "generate", "--quiet=1")]
    [InlineData("put the prompt in quotes", "generate", "Once", "upon")]
    [InlineData("the temperature must be 0 or more; it is -1", "generate", "--temp", "-1")]
    [InlineData("--temp does not take this value", "generate", "--temp", "warm")]
    [InlineData("option --temp takes a number with a decimal point; it is '0,5'", "generate", "--temp", "0,5")]
    [InlineData("--top-k does not take this value", "generate", "--top-k", "1.5")]
    [InlineData("top-k must be 0 or more", "generate", "--top-k", "-1")]
    [InlineData("top-p must be above 0 and at most 1", "generate", "--top-p", "0")]
    [InlineData("min-p must be from 0 to 1", "generate", "--min-p", "1.5")]
    [InlineData("the repetition penalty must be above 0", "generate", "--repeat-penalty", "0")]
    [InlineData("the repetition window must be from 0 to 4096", "generate", "--repeat-last-n", "5000")]
    [InlineData("--max-tokens must be 0 or more", "generate", "-n", "-2")]
    [InlineData("--seed does not take this value", "generate", "--seed", "-1")]
    [InlineData("--stop must not be empty", "generate", "--stop", "")]
    [InlineData("give a prompt or --file, not both", "generate", "Once", "-f", "prompt.txt")]
    [InlineData("--prompts goes without a prompt", "generate", "Once", "--prompts", "prompts.txt")]
    [InlineData("--prompts goes without a prompt", "generate", "--prompts", "prompts.txt", "--save-state", "s.state")]
    [InlineData("--prompts goes without --profile", "generate", "--prompts", "prompts.txt", "--profile")]
    [InlineData("--parallel must be from 1 to 64; it is 65", "generate", "--prompts", "prompts.txt", "--parallel", "65")]
    [InlineData("SOURCE is missing", "convert", "-o", "out.gguf")]
    [InlineData("--output is missing", "convert", "folder")]
    [InlineData("--type must be one of f32, f16, bf16, q8_0, q4_0, iq4_nl; it is 'q5'", "convert", "folder", "-o", "out.gguf", "-t", "q5")]
    [InlineData("FILE is missing", "inspect")]
    [InlineData("'model.gguf' belongs to no option; a model is named by --model", "perplexity", "model.gguf", "-f", "text.txt")]
    public void AWrongCommandLine(string expected, params string[] arguments) => Fails(2, expected, CliProgram.Run(arguments));

    [Fact]
    public void AMissingModel() => Fails(1, "no such file", CliProgram.Run("generate", "-m", model.Folder + "/none.gguf"));

    [Fact]
    public void AFolderForAModel() => Fails(1, "is a directory", CliProgram.Run("generate", "-m", model.Folder));

    [Fact]
    public void AFileThatIsNoGguf() =>
        Fails(1, "is not a GGUF file", CliProgram.Run("generate", "-m", model.File("text.gguf", Encoding.ASCII.GetBytes("just some text"))));

    [Fact]
    public void ATruncatedModel() =>
        Fails(1, "truncated", CliProgram.Run("generate", "-m", model.File("short.gguf", File.ReadAllBytes(model.Sound)[..^1000])));

    [Fact]
    public void AModelOfAnotherArchitecture() => Fails(1, "is a 'llama' model", CliProgram.Run("generate", "-m", model.OfAnotherArchitecture()));

    [Fact]
    public void ATensorOfTheWrongShape() =>
        Fails(1, "tensor 'blk.0.attn_q.weight' has the shape [32, 5]", CliProgram.Run("generate", "-m", model.WithWrongShape()));

    [Fact]
    public void AModelWithoutTokenizer() => Fails(1, "has no tokenizer", CliProgram.Run("generate", "-m", model.WithoutTokenizer()));

    [Fact]
    public void ATokenizerLargerThanTheVocabulary() =>
        Fails(1, "its tokenizer has 4096 tokens, its model 50", CliProgram.Run("generate", "-m", model.WithSmallVocabulary()));

    [Fact]
    public void AModelTooLargeForTheDevice()
    {
        var path = model.TooLarge();
        Assert.True(new FileInfo(path).Length > 300L << 30);

        Fails(1, "does not fit", CliProgram.Run("generate", "-m", path, "-q", "-d", "0"));
    }

    [Fact]
    public void AMissingPromptFile() => Fails(1, "no such file", CliProgram.Run("generate", "-f", model.Folder + "/none.txt"));

    [Fact]
    public void AMissingFileOfPrompts() => Fails(1, "none.txt: no such file", CliProgram.Run("generate", "-m", model.Sound, "--prompts", model.Folder + "/none.txt"));

    [Fact]
    public void AFileWithoutPrompts() =>
        Fails(1, "has no prompts; write one a line", CliProgram.Run("generate", "-m", model.Sound, "--prompts", model.File("blank.txt", "\n  \r\n\n"u8.ToArray())));

    [Fact]
    public void APromptWithoutTokens() =>
        Fails(1, "line 3 has no tokens", CliProgram.Run("generate", "-m", model.ThatDropsLetterX(), "--prompts", model.File("dropped.txt", "Once\n\nxx\n"u8.ToArray())));

    [Theory]
    [InlineData("99", "There is no device 99")]
    [InlineData("no such device", "No device is called 'no such device'")]
    public void ADeviceThatIsNotThere(string device, string expected) => Fails(1, expected, CliProgram.Run("generate", "-m", model.Sound, "-d", device));

    [Theory]
    [InlineData("generate")]
    [InlineData("devices")]
    public void NoDriverAtAll(string verb) =>
        Fails(1, "No Vulkan driver found", CliProgram.Run(verb == "generate" ? ["generate", "-m", model.Sound] : [verb], "", NoDriver));

    [Fact]
    public void NoLoader()
    {
        if (!OperatingSystem.IsLinux())
            return;
        // Files of these names that are no libraries stand in for the absence of one.
        model.File("libvulkan.so.1", []);
        model.File("libvulkan.so", []);

        Fails(1, "No Vulkan loader found", CliProgram.Run(["devices"], "", ("LD_LIBRARY_PATH", model.Folder)));
    }

    [Fact]
    public void AnOutputThatCannotBeWritten() =>
        Fails(1, "cannot be written", CliProgram.Run("convert", Repository.Fixture("torchscale_base"), "-o", model.Folder + "/none/out.gguf"));

    [Fact]
    public void ASourceThatIsNoCheckpoint() => Fails(1, model.Folder, CliProgram.Run("convert", model.Folder, "-o", model.Folder + "/out.gguf"));

    private static void Fails(int code, string expected, CliResult result)
    {
        Assert.Equal("", result.Output);
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("retnet: no GPU found", StringComparison.Ordinal));
        var line = Assert.Single(lines);
        Assert.StartsWith("retnet: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", line, StringComparison.Ordinal);
        Assert.Equal(code, result.ExitCode);
    }
}
