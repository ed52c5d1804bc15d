namespace RetNet.Cli.Tests;

/// <summary>train-check from the command line, on the default device.</summary>
public sealed class TrainCheckTests
{
    [Fact]
    public void ACheckpointsFolderIsComparedWithItsFramework()
    {
        var result = CliProgram.Run("train-check", "-m", Repository.Fixture("fla_base"), "--steps", "3");

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Contains("parallel − PyTorch", result.Output, StringComparison.Ordinal);
        Assert.Contains("blk.1.ffn_down.weight", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("verdict: this device trains right\n", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--exact", "torchscale")]
    [InlineData("--steps", "0")]
    [InlineData("--chunk", "0")]
    [InlineData("--tokens", "no-such-file.safetensors")]
    public void WhatCannotBeCheckedIsOneLine(string option, string value)
    {
        var result = CliProgram.Run("train-check", "-m", Repository.Fixture("fla_base"), option, value, "-q");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void AFolderWithoutAModelIsOneLine()
    {
        using var folder = new TemporaryFolder();
        var result = CliProgram.Run("train-check", "-m", folder.File("."), "-q");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
