namespace RetNet.Cli.Tests;

public sealed class StateTests(CliModel model) : IClassFixture<CliModel>
{
    private string State => Path.Combine(model.Folder, "session.state");

    [Fact]
    public void ASavedSessionGoesOn()
    {
        var saved = CliProgram.Run("generate", "-m", model.Sound, "Once", "-n", "5", "--seed", "9", "--temp", "0.7", "--ignore-eos", "--save-state", State);
        Assert.Equal(0, saved.ExitCode);
        Assert.False(File.Exists(State + ".part"));

        var whole = CliProgram.Run("generate", "-m", model.Sound, "Once", "-n", "12", "--seed", "9", "--temp", "0.7", "--ignore-eos").Output;
        var rest = CliProgram.Run("generate", "-m", model.Sound, "-n", "7", "--ignore-eos", "--load-state", State);

        Assert.Equal(0, rest.ExitCode);
        Assert.Contains("prompt: 1 tokens", rest.Error, StringComparison.Ordinal);
        Assert.Contains("seed 9", rest.Error, StringComparison.Ordinal);
        // Where the text was cut, a character may be: only its halves differ.
        Assert.Equal(whole[^8..], rest.Output[^8..]);
    }

    [Fact]
    public void ASessionOfAnotherModelIsRefused()
    {
        Assert.Equal(0, CliProgram.Run("generate", "-m", model.Sound, "Once", "-n", "2", "--save-state", State).ExitCode);
        var other = Path.Combine(model.Folder, "other.gguf");
        File.Copy(model.Sound, other, overwrite: true);
        using (var file = File.OpenWrite(other))
        {
            file.Seek(-5, SeekOrigin.End);
            file.WriteByte(0x3C);
        }

        var result = CliProgram.Run("generate", "-m", other, "--load-state", State);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("was saved with another model", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatIsNotThereIsToldBeforeAnythingRuns()
    {
        var result = CliProgram.Run("generate", "-m", model.Sound, "Once", "--save-state", Path.Combine(model.Folder, "none", "state"));
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("its folder does not exist", result.Error, StringComparison.Ordinal);
    }
}
