using Fuzzer;

namespace RetNet.Converter.Tests;

/// <summary>A short run of tools/Fuzzer, with the same files each time.</summary>
public sealed class FuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names { get; } = [.. Readers.All.Select(target => target.Name)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void DamagedFiles_AreReadOrRefusedInOneLine(string name)
    {
        var target = Readers.All.Single(target => target.Name == name);
        Assert.All(target.Seeds, seed =>
        {
            File.WriteAllBytes(_folder.File("seed"), seed);
            target.Read(_folder.File("seed"));
        });

        var run = new FuzzRun(target, seed: 7, _folder.Path);
        Assert.Empty(run.Run(2000));
        Assert.InRange(run.Refused, 1, 1999);
    }

    [Fact]
    public void AReaderThatFailsOtherwise_IsFoundAndItsFileKept()
    {
        var target = new ReaderTarget("broken", [[1, 2, 3]], _ => throw new InvalidOperationException("oops"), typeof(ConverterException));
        string failure = Assert.Single(new FuzzRun(target, seed: 1, _folder.Path).Run(1));
        Assert.Contains("InvalidOperationException: oops", failure, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("broken-1-0")));
    }
}
