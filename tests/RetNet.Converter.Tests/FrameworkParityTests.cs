using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Reference;

namespace RetNet.Converter.Tests;

/// <summary>Every fixture converted to f32, and the reference model on it against what the framework's own code gave in float32.</summary>
public sealed class FrameworkParityTests : IDisposable
{
    private const double Parity = 1e-5;

    // The parallel and the chunkwise form divide by a clamped sum of scores besides √S, which shifts ε.
    private const double OtherEps = 1e-4;

    // torchscale's chunkwise form takes S of the position inside the chunk. Here activations are small and ε decides: its own forms differ by 0.03.
    private const double OwnDifference = 0.05;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

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
    public void LogitsAreTheFrameworks(string fixture, string logits, double tolerance)
    {
        var oracle = Convert(fixture);
        using var reference = Reference(fixture);
        var expected = Floats(reference, logits);
        int[][] batch = [.. Ints(reference, "ids").Chunk((int)reference.Tensors["ids"].Shape[1])];

        Tolerance.Near(expected, [.. batch.SelectMany(ids => oracle.Recurrent(ids))], tolerance);
        Tolerance.Near(expected, [.. batch.SelectMany(ids => oracle.Parallel(ids))], tolerance);
        Tolerance.Near(expected, [.. batch.SelectMany(ids => oracle.Chunkwise(ids, 8))], tolerance);
    }

    [Theory]
    [InlineData("fla_base")]
    [InlineData("fla_gqa_tied")]
    public void LongLogitsAreFlas(string fixture)
    {
        var oracle = Convert(fixture);
        using var reference = Reference(fixture);
        Tolerance.Near(Floats(reference, "long.logits"), oracle.Chunkwise(Ints(reference, "long.ids"), 64), Parity);
    }

    [Theory]
    [InlineData("torchscale_base")]
    [InlineData("torchscale_tied_scaled")]
    [InlineData("torchscale_deepnorm")]
    public void TheLastOfLongLogitsAreTorchscales(string fixture)
    {
        var oracle = Convert(fixture);
        using var reference = Reference(fixture);
        double[] logits = oracle.Chunkwise(Ints(reference, "long.ids"), 64);
        Tolerance.Near(Floats(reference, "long.logits_last"), logits[^oracle.Config.VocabularySize..], OtherEps);
    }

    [Theory]
    [InlineData("fla_base")]
    [InlineData("fla_gqa_tied")]
    public void GreedyTokensAreFlas(string fixture)
    {
        const int promptLength = 8;
        var oracle = Convert(fixture);
        using var reference = Reference(fixture);
        int[] expected = Ints(reference, "greedy.ids");
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

    private static SafeTensorsFile Reference(string fixture) => SafeTensorsFile.Open(Repository.Fixture(fixture, "reference.safetensors"));

    private static float[] Floats(SafeTensorsFile file, string name)
    {
        var values = new float[file.Tensors[name].Bytes / sizeof(float)];
        file.Tensors[name].Read(0, values);
        return values;
    }

    private static int[] Ints(SafeTensorsFile file, string name) =>
        [.. System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(file.Tensors[name].Span(0, (int)file.Tensors[name].Bytes))];

    private ReferenceModel Convert(string fixture)
    {
        string path = _folder.File("model.gguf");
        CheckpointConverter.Convert(Repository.Fixture(fixture), path, BlockType.Of(GgmlType.F32));
        using var file = GgufFile.Open(path);
        return ReferenceModel.Load(file);
    }
}
