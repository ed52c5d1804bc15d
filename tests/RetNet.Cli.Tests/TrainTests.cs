using System.Globalization;
using System.Text.Json;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Cli.Tests;

/// <summary>Training from the command line, on the default device.</summary>
public sealed class TrainTests(CliModel model) : IClassFixture<CliModel>, IDisposable
{
    private const string Shape = "32,2,2,8,16,64";
    private readonly TemporaryFolder _folder = new();

    private static string Tokenizer => Repository.Fixture("tokenizers", "demo.tokenizer.json");

    private string Text => Write("text.txt", string.Join("<|endoftext|>", File.ReadAllText(Repository.Fixture("tales-18m", "val.txt")).Split("<|endoftext|>").Take(6)));

    [Fact]
    public void FromScratchTheLossFallsAndTheResultGenerates()
    {
        var log = _folder.File("log.csv");
        var result = CliProgram.Run([.. Scratch("run"), "--steps", "30", "--lr", "0.01", "--val-every", "10", "--log", log, "--plot", _folder.File("loss.svg")]);

        Assert.True(result.ExitCode == 0, result.Error);
        var rows = Rows(log);
        Assert.Equal(31, rows.Count);
        Assert.Equal([0, 10, 20, 30], rows.Where(row => row[2].Length > 0).Select(row => int.Parse(row[0], CultureInfo.InvariantCulture)));
        Assert.True(Number(rows[30][1]) < Number(rows[1][1]) - 1, $"the loss went from {rows[1][1]} to {rows[30][1]}");
        Assert.True(Number(rows[30][2]) < Number(rows[0][2]) - 1, $"the validation loss went from {rows[0][2]} to {rows[30][2]}");
        Assert.Contains("<svg", File.ReadAllText(_folder.File("loss.svg")), StringComparison.Ordinal);

        var path = Path.Combine(_folder.File("run"), "step-000030", "model.gguf");
        Assert.StartsWith(path, result.Output, StringComparison.Ordinal);
        var generated = CliProgram.Run("generate", "Once", "-m", path, "-n", "5", "--seed", "1", "-q");
        Assert.True(generated.ExitCode == 0, generated.Error);
        Assert.Equal(0, CliProgram.Run("inspect", path).ExitCode);
    }

    [Fact]
    public void ARunThatWasStoppedGoesOnAsIfItHadNot()
    {
        string[] options = ["--steps", "9", "--val-every", "4", "--checkpoint-every", "2", "--micro-batch", "1"];
        var whole = CliProgram.Run([.. Scratch("whole"), .. options, "--log", _folder.File("whole.csv")]);
        Assert.True(whole.ExitCode == 0, whole.Error);

        KillAfter(3, [.. Scratch("parts"), .. options, "--log", _folder.File("parts.csv")]);
        var resumed = CliProgram.Run("train", "--resume", "-o", _folder.File("parts"));

        Assert.True(resumed.ExitCode == 0, resumed.Error);
        // All but the seconds.
        Assert.Equal(Rows(_folder.File("whole.csv")).Select(row => string.Join(',', row[..^1])), Rows(_folder.File("parts.csv")).Select(row => string.Join(',', row[..^1])));
        Assert.Equal(File.ReadAllBytes(Model("whole", 9)).AsSpan(1024).Length, File.ReadAllBytes(Model("parts", 9)).AsSpan(1024).Length);
        Assert.Equal(Values(Model("whole", 9), "blk.1.ffn_down.weight"), Values(Model("parts", 9), "blk.1.ffn_down.weight"));
    }

    [Fact]
    public void AdaptersLeaveTheOtherMatricesAsTheyAre()
    {
        var result = CliProgram.Run("train", "-m", model.Sound, "--text", Text, "-o", _folder.File("lora"), "--lora", "2", "--lora-targets", "q,down", "--steps", "4", "--batch", "2", "--length", "24", "--lr", "0.05", "--val-share", "0", "--checkpoint-every", "2");

        Assert.True(result.ExitCode == 0, result.Error);
        foreach (var name in TensorShapes.Of(RetNetGgufConfig(model.Sound)).Where(shape => shape.Required).Select(shape => shape.Name))
            Assert.Equal(!(name.Contains("attn_q", StringComparison.Ordinal) || name.Contains("ffn_down", StringComparison.Ordinal)), Values(model.Sound, name).SequenceEqual(Values(Model("lora", 4), name)));
    }

    [Fact]
    public void AdaptersGoOnFromTheirModel()
    {
        string[] options = ["-m", model.Sound, "--text", Text, "--lora", "2", "--steps", "6", "--batch", "2", "--length", "24", "--lr", "0.05", "--val-share", "0"];
        CliProgram.Run(["train", .. options, "-o", _folder.File("whole")]);
        KillAfter(2, ["train", .. options, "-o", _folder.File("parts"), "--checkpoint-every", "1", "--log", _folder.File("parts.csv")]);
        var resumed = CliProgram.Run("train", "--resume", "-o", _folder.File("parts"));

        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Equal(Values(Model("whole", 6), "blk.1.attn_q.weight"), Values(Model("parts", 6), "blk.1.attn_q.weight"));
    }

    [Fact]
    public void DecayRatesAreInTheModel()
    {
        var result = CliProgram.Run([.. Scratch("run"), "--steps", "1", "--decay", "single:0.9"]);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal([0.9f, 0.9f], RetNetGgufConfig(Model("run", 1)).Decay);
    }

    [Fact]
    public void JsonLines()
    {
        var log = _folder.File("log.jsonl");
        Assert.Equal(0, CliProgram.Run([.. Scratch("run"), "--steps", "2", "--log", log, "--optimizer", "sgd", "--chunk", "parallel"]).ExitCode);

        var rows = File.ReadAllLines(log).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal([0, 1, 2], rows.Select(row => row.GetProperty("step").GetInt32()));
        Assert.False(rows[0].TryGetProperty("loss", out _));
        Assert.True(rows[1].GetProperty("loss").GetDouble() > 1);
    }

    [Theory]
    [InlineData("--out is missing", "--text", "t.txt", "--shape", Shape)]
    [InlineData("give --model, a GGUF to go on from, or --shape and --tokenizer", "--text", "t.txt", "-o", "x")]
    [InlineData("--tokenizer is missing", "--shape", Shape, "--text", "t.txt", "-o", "x")]
    [InlineData("give one of them", "--shape", Shape, "-m", "m.gguf", "--text", "t.txt", "-o", "x")]
    [InlineData("--text is missing", "-m", "m.gguf", "-o", "x")]
    [InlineData("'t.txt' belongs to no option", "-m", "m.gguf", "-o", "x", "t.txt")]
    [InlineData("--micro-batch must divide --batch; 3 does not divide 8", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--micro-batch", "3")]
    [InlineData("--steps must be 1 to 100000000; it is 0", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--steps", "0")]
    [InlineData("--optimizer must be adamw or sgd; it is 'lion'", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--optimizer", "lion")]
    [InlineData("--momentum is for --optimizer sgd", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--momentum", "0.5")]
    [InlineData("--precision must be f32 or f16; it is 'bf16'", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--precision", "bf16")]
    [InlineData("--chunk must be a number of tokens, 1 or more, or parallel; it is '0'", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--chunk", "0")]
    [InlineData("--lora-targets takes some of q, k, v, g, o, gate, up, down", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--lora", "4", "--lora-targets", "q,z")]
    [InlineData("--lora-alpha is for --lora RANK", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--lora-alpha", "4")]
    [InlineData("--checkpoint-every must be a number of steps", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--checkpoint-every", "1h")]
    [InlineData("--val-share must be from 0 to below 1; it is 1", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--val-share", "1")]
    [InlineData("--lr does not take this value", "-m", "m.gguf", "--text", "t.txt", "-o", "x", "--lr", "fast")]
    public void AWrongCommandLine(string expected, params string[] arguments) => Fails(2, expected, ["train", .. arguments]);

    [Fact]
    public void AShapeThatIsNone() => Fails(2, "--shape: a shape is one of tiny", [.. Scratch("run"), "--shape", "13b"]);

    [Fact]
    public void ADecayThatIsNone() => Fails(2, "--decay: a decay lies above 0 and at most at 1; it is '1.5'", [.. Scratch("run"), "--decay", "single:1.5"]);

    [Fact]
    public void AVocabularyTooSmall() => Fails(2, "a vocabulary of 100 is too small for the tokenizer's 4096 tokens", [.. Scratch("run"), "--shape", Shape + ",100"]);

    [Fact]
    public void AnEmptyText() => Fails(1, "there is no text to train on", ["train", "-m", model.Sound, "--text", Write("empty.txt", ""), "-o", _folder.File("run")]);

    [Fact]
    public void AMissingText() => Fails(1, "none.txt: no such file", ["train", "-m", model.Sound, "--text", _folder.File("none.txt"), "-o", _folder.File("run")]);

    [Fact]
    public void ATokenizerThatIsNone() => Fails(1, "tokenizer.json", [.. Scratch("run"), "--tokenizer", Write("tokenizer.json", "{}")]);

    [Fact]
    public void AModelWithoutTokenizer() => Fails(1, "has no tokenizer", ["train", "-m", model.WithoutTokenizer(), "--text", Text, "-o", _folder.File("run")]);

    [Fact]
    public void AnAdapterLargerThanItsMatrix() =>
        Fails(1, "an adapter of rank 500 is larger than 'blk.0.attn_q' itself", ["train", "-m", model.Sound, "--text", Text, "-o", _folder.File("run"), "--lora", "500"]);

    [Fact]
    public void NothingToGoOnFrom() => Fails(1, "there is no checkpoint to go on from", ["train", "--resume", "-o", _folder.File("run")]);

    [Fact]
    public void AFileForAFolder() => Fails(1, "is a file", ["train", "-m", model.Sound, "--text", Text, "-o", Write("file", "")]);

    [Fact]
    public void ALogThatCannotBeWritten() => Fails(1, "cannot be written", ["train", "-m", model.Sound, "--text", Text, "-o", _folder.File("run"), "--log", _folder.File("none/log.csv")]);

    [Fact]
    public void GoingOnWithSomethingElseIsRefused()
    {
        Assert.Equal(0, CliProgram.Run([.. Scratch("run"), "--steps", "2"]).ExitCode);
        var before = Directory.EnumerateFileSystemEntries(_folder.File("run"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        string[] resume = ["train", "--resume", "-o", _folder.File("run")];

        Fails(1, "has the checkpoints of a run up to step-000002; go on with --resume", [.. Scratch("run")], made: true);
        Fails(2, "--batch is 4, but the run was begun with 2", [.. resume, "--batch", "4"], made: true);
        Fails(2, "--lora is 4, but the run was begun without it", [.. resume, "--lora", "4"], made: true);
        Fails(1, "the run was begun with another text", [.. resume, "--steps", "5", "--text", Write("other.txt", "Another text, and not the one before.")], made: true);
        var state = Path.Combine(_folder.File("run"), "step-000002", "state.gguf");
        File.WriteAllBytes(state, File.ReadAllBytes(state)[..^5000]);
        Fails(1, "delete ", [.. resume, "--steps", "5"], made: true);

        Assert.Equal(before, Directory.EnumerateFileSystemEntries(_folder.File("run"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private string[] Scratch(string name) =>
        ["train", "--shape", Shape, "--tokenizer", Tokenizer, "--tied", "--text", Text, "-o", _folder.File(name), "--batch", "2", "--length", "24", "--chunk", "16", "--val-windows", "4"];

    /// <summary>Kills a run as soon as it has logged some steps.</summary>
    private static void KillAfter(int steps, string[] arguments)
    {
        using var process = CliProgram.Start(arguments);
        var log = arguments[Array.IndexOf(arguments, "--log") + 1];
        var deadline = DateTime.UtcNow.AddMinutes(2);
        while (!process.HasExited && DateTime.UtcNow < deadline && Logged(log) < steps + 1)
            Thread.Sleep(5);
        process.Kill();
        process.WaitForExit();
        Assert.True(Logged(log) >= steps + 1, "the run was too short to be killed");
    }

    private static int Logged(string log)
    {
        if (!File.Exists(log))
            return 0;
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Count(letter => letter == '\n') - 1;
    }

    private string Model(string name, int step) => Path.Combine(_folder.File(name), string.Create(CultureInfo.InvariantCulture, $"step-{step:000000}"), "model.gguf");

    private static float[] Values(string path, string name)
    {
        using var file = GgufFile.Open(path);
        var tensor = file.GetTensor(name);
        var values = new float[tensor.Elements];
        tensor.Type.Dequantize(file.Rows(tensor, 0, (int)tensor.Rows), values);
        return values;
    }

    private static RetNetConfig RetNetGgufConfig(string path)
    {
        using var file = GgufFile.Open(path);
        return RetNetGguf.ReadConfig(file);
    }

    private string Write(string name, string text)
    {
        var path = _folder.File(name);
        File.WriteAllText(path, text);
        return path;
    }

    private static List<string[]> Rows(string log) => [.. File.ReadAllLines(log).Skip(1).Select(line => line.Split(','))];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private void Fails(int code, string expected, string[] arguments, bool made = false)
    {
        var result = CliProgram.Run(arguments);
        Assert.Equal("", result.Output);
        var line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => !line.StartsWith("retnet: no GPU found", StringComparison.Ordinal) && !line.Contains("tokens to train on", StringComparison.Ordinal) && !line.Contains("training takes", StringComparison.Ordinal));
        Assert.StartsWith("retnet: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", line, StringComparison.Ordinal);
        Assert.Equal(code, result.ExitCode);
        Assert.Equal(made, Directory.Exists(_folder.File("run")));
    }
}
