using System.Globalization;
using RetNet.Converter;

namespace RetNet.Cli.Tests;

public sealed class EvaluationTests(CliModel model) : IClassFixture<CliModel>
{
    private const string Tokens = "0,17,4095,3,250,17,9";

    [Fact]
    public void PerplexityIsTheSameInEveryMode()
    {
        var text = model.File("text.txt", "Once upon a time there was a story, and it was long enough for three windows of eight tokens."u8.ToArray());
        var results = new[] { "parallel", "chunkwise", "recurrent" }.Select(mode => CliProgram.Run("perplexity", "-m", model.Sound, "-f", text, "--ctx", "8", "--mode", mode)).ToArray();

        Assert.All(results, result => Assert.Equal(0, result.ExitCode));
        var values = results.Select(result => double.Parse(result.Output.Split(' ', ',')[1], CultureInfo.InvariantCulture)).ToArray();
        Assert.All(values, value => Assert.InRange(value, values[0] * 0.9999, values[0] * 1.0001));
        Assert.Contains("tokens in windows of 8, parallel", results[0].Output, StringComparison.Ordinal);
    }

    [Fact]
    public void LogitsAndStatesAreTheSameInEveryMode()
    {
        var expected = Logits("recurrent", Tokens);
        Assert.Equal(["logits", "state.0", "state.1"], expected.Keys.Order());
        Assert.Equal(7 * TextModel.VocabularySize, expected["logits"].Length);
        foreach (var mode in new[] { "parallel", "chunkwise" })
            foreach (var (name, values) in Logits(mode, Tokens, "--chunk", "3"))
                Tolerance.Near(expected[name], values, 1e-5);
    }

    [Fact]
    public void TokensMayBeABatchInAFile()
    {
        var ids = Path.Combine(model.Folder, "ids.safetensors");
        WriteIds(ids, [2, 3], [0, 17, 4095, 0, 17, 3]);
        var single = Logits("chunkwise", "0,17,4095");
        var batch = Logits("chunkwise", ids);

        Assert.Equal(2 * single["logits"].Length, batch["logits"].Length);
        Assert.Equal(single["logits"], batch["logits"][..single["logits"].Length]);
        Assert.Equal(single["state.1"], batch["state.1"][..single["state.1"].Length]);
    }

    [Theory]
    [InlineData(2, "--mode must be parallel, chunkwise or recurrent; it is 'fast'", "--mode", "fast")]
    [InlineData(2, "--exact must be torchscale; it is 'fla'", "--exact", "fla")]
    [InlineData(2, "in the parallel form only", "--exact", "torchscale")]
    [InlineData(2, "a chunk has at least 1 token", "--chunk", "0")]
    [InlineData(2, "--state-type must be f32 or f16", "--state-type", "f8")]
    [InlineData(1, "token 4096 is outside the vocabulary of 4096", "--tokens", "1,4096")]
    [InlineData(1, "'x' is no token number", "--tokens", "1,x")]
    [InlineData(1, "its folder does not exist", "-o", "/none/out.safetensors")]
    public void WrongInputIsOneLine(int code, string expected, params string[] options)
    {
        string[] tokens = options.Contains("--tokens") ? [] : ["--tokens", "1"];
        string[] output = options.Contains("-o") ? [] : ["-o", Path.Combine(model.Folder, "wrong.safetensors")];
        var result = CliProgram.Run(["logits", "-m", model.Sound, "-q", .. tokens, .. output, .. options]);

        Assert.Equal((code, ""), (result.ExitCode, result.Output));
        Assert.Contains(expected, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(model.Folder, "wrong*"));
    }

    private static void WriteIds(string path, int[] shape, long[] ids)
    {
        var header = System.Text.Encoding.ASCII.GetBytes($$"""{"ids": {"dtype": "I64", "shape": [{{string.Join(',', shape)}}], "data_offsets": [0, {{ids.Length * sizeof(long)}}] } }""");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. ids.SelectMany(BitConverter.GetBytes)]);
    }

    private Dictionary<string, float[]> Logits(string mode, string tokens, params string[] options)
    {
        var path = Path.Combine(model.Folder, $"{mode}.safetensors");
        var result = CliProgram.Run(["logits", "-m", model.Sound, "--tokens", tokens, "--mode", mode, "--states", "-o", path, .. options]);
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        using var file = WeightFile.Open(path);
        return file.Tensors.Values.ToDictionary(tensor => tensor.Name, tensor =>
        {
            var values = new float[tensor.Bytes / sizeof(float)];
            tensor.Read(0, values);
            return values;
        });
    }
}
