using System.Text.Json;

namespace RetNet.Cli.Tests;

/// <summary>Help, tables and JSON.</summary>
public sealed class OutputTests(CliModel model) : IClassFixture<CliModel>
{
    [Fact]
    public void AloneItShowsHelp()
    {
        var result = CliProgram.Run();

        Assert.Equal(0, result.ExitCode);
        foreach (var verb in new[] { "generate", "devices", "convert", "inspect" })
            Assert.Contains($"  {verb} ", result.Output, StringComparison.Ordinal);
        Assert.Equal(result.Output, CliProgram.Run("--help").Output);
    }

    [Fact]
    public void HelpOfAVerbHasItsOptionsWithDefaults()
    {
        var result = CliProgram.Run("generate", "--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Error);
        foreach (var part in new[] { "--max-tokens", "(Default: 200)", "--temp", "(Default: 0.8)", "--min-p", "--validate", "Examples:" })
            Assert.Contains(part, result.Output, StringComparison.Ordinal);
        Assert.Equal(result.Output, CliProgram.Run("help", "generate").Output);
    }

    [Fact]
    public void VersionIsOneLine() => Assert.Matches(@"^retnet \d+\.\d+\.\d+\n$", CliProgram.Run("--version").Output);

    [Fact]
    public void DevicesAsATableAndAsJson()
    {
        var table = CliProgram.Run("devices").Output;
        Assert.Contains("subgroup", table, StringComparison.Ordinal);
        Assert.Contains("matrix units", table, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(CliProgram.Run("devices", "--json").OutputBytes);

        var device = json.RootElement[0];
        Assert.Equal(0, device.GetProperty("index").GetInt32());
        Assert.True(Guid.TryParse(device.GetProperty("uuid").GetString(), out _));
        var capabilities = device.GetProperty("capabilities");
        Assert.True(capabilities.GetProperty("subgroupSize").GetInt32() > 0);
        foreach (var shape in capabilities.GetProperty("matrixShapes").EnumerateArray())
            Assert.Contains($"{shape.GetProperty("m")}x{shape.GetProperty("n")}x{shape.GetProperty("k")}", table, StringComparison.Ordinal);
        Assert.Equal(capabilities.GetProperty("workgroupMatrices").ValueKind == JsonValueKind.Object, table.Contains("NV2", StringComparison.Ordinal));
    }

    [Fact]
    public void InspectAsATableAndAsJson()
    {
        var table = CliProgram.Run("inspect", model.Sound).Output;
        using var json = JsonDocument.Parse(CliProgram.Run("inspect", model.Sound, "--json").OutputBytes);

        Assert.Contains("blk.1.attn_gate.weight", table, StringComparison.Ordinal);
        Assert.Equal("retnet", json.RootElement.GetProperty("architecture").GetString());
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("problem").ValueKind);
        Assert.Equal(2u, json.RootElement.GetProperty("metadata").GetProperty("retnet.block_count").GetUInt32());
        var parameters = json.RootElement.GetProperty("tensors").EnumerateArray()
            .Sum(tensor => tensor.GetProperty("shape").EnumerateArray().Aggregate(1L, (product, dimension) => product * dimension.GetInt64()));
        Assert.Equal(parameters, json.RootElement.GetProperty("parameters").GetInt64());
    }

    [Fact]
    public void InspectMarksTensorsOfAnotherType()
    {
        var path = Path.Combine(model.Folder, "mixed.gguf");
        new RandomModel(RandomModel.Shape(1, 64, 1, 32, 36, 64, 80), seed: 1, _ => false).Write(path, RetNet.Vulkan.Gguf.GgmlType.Q8_0);

        var lines = CliProgram.Run("inspect", path).Output.Split('\n');

        Assert.Contains("* not q8_0", Assert.Single(lines, line => line.StartsWith("blk.0.attn_output.weight", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Single(lines, line => line.Contains("* not", StringComparison.Ordinal));
    }

    [Fact]
    public void InspectSaysWhyAFileCannotBeRun() => Assert.Contains("cannot be run: ", CliProgram.Run("inspect", model.OfAnotherArchitecture()).Output, StringComparison.Ordinal);

    [Fact]
    public void ConvertWritesAFileThatInspectReads()
    {
        var path = Path.Combine(model.Folder, "converted.gguf");
        var result = CliProgram.Run("convert", Repository.Fixture("torchscale_base"), "-o", path, "--type", "bf16", "--name", "-tiny");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("-tiny", result.Output, StringComparison.Ordinal);
        Assert.Contains("100 %", result.Error, StringComparison.Ordinal);
        Assert.Contains("mainly bf16", CliProgram.Run("inspect", path).Output, StringComparison.Ordinal);
    }
}
