namespace RetNet.Bench.Tests;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WritesAndReplaces()
    {
        var path = _folder.File("a.json");
        OutputFile.RequireWritable(path);
        Assert.False(File.Exists(path));
        OutputFile.Write(path, "é");
        OutputFile.Write(path, "ö\n");

        Assert.Equal("ö\n"u8, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("none/a.json")]
    [InlineData("folder")]
    [InlineData("a\0b")]
    public void APathThatCannotBeWritten(string name)
    {
        Directory.CreateDirectory(_folder.File("folder"));
        var path = Path.Combine(_folder.Path, name);

        Assert.StartsWith($"{path}: cannot be written: ", Assert.Throws<IOException>(() => OutputFile.RequireWritable(path)).Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}: cannot be written: ", Assert.Throws<IOException>(() => OutputFile.Write(path, "text")).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }
}
