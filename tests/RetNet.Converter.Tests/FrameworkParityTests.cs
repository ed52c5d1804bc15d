using RetNet.Vulkan.Reference;

namespace RetNet.Converter.Tests;

/// <summary>Every fixture converted to f32, and the reference model on it against what the framework's own code gave in float32.</summary>
public sealed class FrameworkParityTests
{
    private const double Parity = 1e-5;

    // The parallel and the chunkwise form divide by a clamped sum of scores besides √S, which shifts ε.
    private const double OtherEps = 1e-4;

    // torchscale's chunkwise form takes S of the position inside the chunk. Here activations are small and ε decides: its own forms differ by 0.03.
    private const double OwnDifference = 0.05;

    [Theory]
    [InlineData("torchscale_base", "logits_recurrent", Parity)]
    [InlineData("torchscale_tied_scaled", "logits_recurrent", Parity)]
    [InlineData("torchscale_deepnorm", "logits_recurrent", Parity)]
    [InlineData("syncdoth_glu", "logits_recurrent", Parity)]
    [InlineData("syncdoth_ffn", "logits_recurrent", Parity)]
    [InlineData("fla_base", "logits_37", Parity)]
    [InlineData("fla_gqa_tied", "logits_37", Parity)]
    [InlineData("torchscale_base", "logits_parallel", OtherEps)]
    [InlineData("torchscale_base", "logits_chunkwise8", OtherEps)]
    [InlineData("torchscale_deepnorm", "logits_parallel", OtherEps)]
    [InlineData("torchscale_deepnorm", "logits_chunkwise8", OwnDifference)]
    [InlineData("torchscale_tied_scaled", "logits_parallel", OtherEps)]
    [InlineData("torchscale_tied_scaled", "logits_chunkwise8", OtherEps)]
    [InlineData("syncdoth_glu", "logits_parallel", OtherEps)]
    [InlineData("syncdoth_ffn", "logits_parallel", OtherEps)]
    public void LogitsAreTheFrameworks(string name, string logits, double tolerance)
    {
        using var fixture = new FrameworkFixture(name);
        var expected = fixture.Floats(logits);
        var oracle = fixture.Oracle;
        Tolerance.Near(expected, [.. fixture.Batch.SelectMany(ids => oracle.Recurrent(ids))], tolerance);
        Tolerance.Near(expected, [.. fixture.Batch.SelectMany(ids => oracle.Parallel(ids))], tolerance);
        Tolerance.Near(expected, [.. fixture.Batch.SelectMany(ids => oracle.Chunkwise(ids, 8))], tolerance);
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    [InlineData("syncdoth_glu")]
    [InlineData("syncdoth_ffn")]
    public void WithTheClampParallelLogitsAreTheFrameworks(string name)
    {
        using var fixture = new FrameworkFixture(name);
        Tolerance.Near(fixture.Floats("logits_parallel"), [.. fixture.Batch.SelectMany(ids => fixture.Oracle.Parallel(ids, torchscaleClamp: true))], Parity);
    }

    [Theory]
    [InlineData("fla_base")]
    [InlineData("fla_gqa_tied")]
    public void LongLogitsAreFlas(string name)
    {
        using var fixture = new FrameworkFixture(name);
        Tolerance.Near(fixture.Floats("long.logits"), fixture.Oracle.Chunkwise(fixture.Ints("long.ids"), 64), Parity);
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void TheLastOfLongLogitsAreTorchscales(string name)
    {
        using var fixture = new FrameworkFixture(name);
        var (expected, oracle) = (fixture.Floats("long.logits_last"), fixture.Oracle);
        var tokens = fixture.Ints("long.ids");
        Tolerance.Near(expected, oracle.Chunkwise(tokens, 64)[^expected.Length..], OtherEps);
        Tolerance.Near(expected, oracle.Parallel(tokens, torchscaleClamp: true)[^expected.Length..], OtherEps);
    }

    [Theory]
    [InlineData("fla_base")]
    [InlineData("fla_gqa_tied")]
    public void GreedyTokensAreFlas(string name)
    {
        const int promptLength = 8;
        using var fixture = new FrameworkFixture(name);
        var oracle = fixture.Oracle;
        int[] expected = fixture.Ints("greedy.ids");
        var state = new ReferenceState(oracle.Config);
        List<int> tokens = [.. expected[..promptLength]];
        double[] logits = oracle.Recurrent(expected.AsSpan(0, promptLength), state);
        while (tokens.Count < expected.Length)
        {
            double[] last = logits[^oracle.Config.VocabularySize..];
            tokens.Add(Array.IndexOf(last, last.Max()));
            logits = oracle.Recurrent([tokens[^1]], state);
        }

        Assert.Equal(expected, tokens);
    }
}
