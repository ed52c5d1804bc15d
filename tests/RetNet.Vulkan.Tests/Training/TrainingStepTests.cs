using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Tests.Execution;
using RetNet.Vulkan.Training;
using Xunit.Abstractions;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Losses and gradients of whole models on every device: against the oracle, between the forms, and of parts of a batch.</summary>
[Collection(TestDevices.Collection)]
public sealed class TrainingStepTests(TestDevices devices, ITestOutputHelper output)
{
    /// <summary>|Δ| / |reference| of a tensor's gradient, as norms: rounding of f32 against double.</summary>
    private const double Allowed = 1e-5;

    /// <summary>A model whose key projection alone has a bias is one that cannot be trained; it has the others too here.</summary>
    private const string SomeBiases = "RMSNorm, inner LayerNorm, some biases, post-norm";

    private const string Small = "dv 54, embedding norm, scaled";

    public static TheoryData<int, string> Models
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var device in TestDevices.All)
                foreach (var name in ModelShapes.Names)
                    data.Add((int)device[0], name);
            return data;
        }
    }

    public static TheoryData<int, int> Lengths
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (var device in TestDevices.All)
                foreach (var length in new[] { 5, 64, 65, 150, 520 })
                    data.Add((int)device[0], length);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void EqualsTheOracle(int device, string name)
    {
        const int sequences = 2, length = 37;
        var model = Create(name);
        var (tokens, targets) = model.Sequences(sequences, length, 5);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(devices[device], folder);
        foreach (var (chunkLength, clamp) in new (int?, bool)[] { (16, false), (null, false), (null, true) })
        {
            var (expected, reference) = model.Reference(tokens, targets, length, 0.01, chunkLength, clamp);
            var (loss, gradients) = Run(devices[device], model, parameters, new() { Sequences = sequences, Length = length, ChunkLength = chunkLength, TorchscaleClamp = clamp }, [(tokens, targets)]);

            Assert.InRange(Math.Abs(loss - expected) / expected, 0, Allowed);
            var worst = gradients.Max(gradient => Near(gradient.Key, reference[gradient.Key], gradient.Value, Allowed));
            output.WriteLine($"{(clamp ? "parallel with clamp" : chunkLength is null ? "parallel" : "chunkwise")}: loss {Math.Abs(loss - expected) / expected:g2}, gradients {worst:g2}");
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void ParallelEqualsChunkwise(int device, int length)
    {
        var model = Create("grouped values, plain eps, relu");
        var (tokens, targets) = model.Sequences(2, length, 9);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(devices[device], folder);
        var parallel = Run(devices[device], model, parameters, new() { Sequences = 2, Length = length, ChunkLength = null }, [(tokens, targets)]);
        foreach (var chunkLength in new[] { 16, 64 })
        {
            var chunkwise = Run(devices[device], model, parameters, new() { Sequences = 2, Length = length, ChunkLength = chunkLength }, [(tokens, targets)]);

            Assert.InRange(Math.Abs(parallel.Loss - chunkwise.Loss) / parallel.Loss, 0, Allowed);
            var worst = parallel.Gradients.Max(gradient => Near(gradient.Key, [.. gradient.Value.Select(value => (double)value)], chunkwise.Gradients[gradient.Key], Allowed));
            output.WriteLine($"chunks of {chunkLength}: {worst:g2}");
        }
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void TwoMicroBatchesAreOneBatch(int device, string name)
    {
        const int length = 23;
        var model = Create(Small);
        var (tokens, targets) = model.Sequences(4, length, 11);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(devices[device], folder);
        var whole = Run(devices[device], model, parameters, new() { Sequences = 4, Length = length }, [(tokens, targets)]);
        var half = tokens.Length / 2;
        var halves = Run(devices[device], model, parameters, new() { Sequences = 2, Length = length }, [(tokens[..half], targets[..half]), (tokens[half..], targets[half..])]);

        Assert.InRange(Math.Abs(whole.Loss - halves.Loss) / whole.Loss, 0, 1e-6);
        foreach (var (tensor, gradient) in whole.Gradients)
            Near($"{tensor} on {name}", [.. gradient.Select(value => (double)value)], halves.Gradients[tensor], Allowed);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void RecomputedIsKept(int device, string name)
    {
        var model = Create(name);
        var (tokens, targets) = model.Sequences(2, 33, 13);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(devices[device], folder);
        var options = new TrainingStepOptions { Sequences = 2, Length = 33, ChunkLength = 16 };
        var kept = Run(devices[device], model, parameters, options with { Recompute = false }, [(tokens, targets)]);
        var recomputed = Run(devices[device], model, parameters, options with { Recompute = true }, [(tokens, targets)]);

        Assert.Equal(kept.Loss, recomputed.Loss);
        foreach (var (tensor, gradient) in kept.Gradients)
            Assert.Equal(gradient, recomputed.Gradients[tensor]);
    }

    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void EvaluationHasTheLossAlone(int device, string name)
    {
        var model = Create(Small);
        var (tokens, targets) = model.Sequences(2, 20, 3);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(devices[device], folder);
        using var step = new TrainingStep(devices[device], model.Config, parameters, new() { Sequences = 2, Length = 20 });
        step.ZeroGradients();

        Assert.Equal(step.Evaluate(tokens, targets), step.Accumulate(tokens, targets, 0));
        Assert.All(parameters.Tensors, tensor => Assert.True(parameters.Read(tensor.Name, ParameterKind.Gradient).All(value => value == 0), $"{tensor.Name} on {name}"));
    }

    [Fact]
    public void BadInputIsRefused()
    {
        var device = devices[(int)TestDevices.All.First()[0]];
        var model = Create(Small);
        using var folder = new TemporaryFolder();
        using var parameters = model.Load(device, folder);
        TrainingStep Step(TrainingStepOptions options) => new(device, model.Config, parameters, options);
        Assert.Contains("1 to", Assert.Throws<ArgumentException>(() => Step(new() { Sequences = 0, Length = 5 })).Message, StringComparison.Ordinal);
        Assert.Contains("chunk", Assert.Throws<ArgumentException>(() => Step(new() { Sequences = 1, Length = 5, ChunkLength = 0 })).Message, StringComparison.Ordinal);
        Assert.Contains("parallel", Assert.Throws<ArgumentException>(() => Step(new() { Sequences = 1, Length = 5, TorchscaleClamp = true })).Message, StringComparison.Ordinal);

        using var step = Step(new() { Sequences = 1, Length = 2 });
        Assert.Contains("3 tokens", Assert.Throws<ArgumentException>(() => step.Evaluate([1, 2, 3], [1, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("token 131", Assert.Throws<ArgumentException>(() => step.Evaluate([1, 131], [1, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("token -2", Assert.Throws<ArgumentException>(() => step.Evaluate([1, 2], [1, -2])).Message, StringComparison.Ordinal);
    }

    private static TrainingModel Create(string name) => new(name == SomeBiases ? ModelShapes.Create(name, tensor => tensor.EndsWith(".bias", StringComparison.Ordinal)) : ModelShapes.Create(name));

    private static (double Loss, Dictionary<string, float[]> Gradients) Run(
        GpuDevice device, TrainingModel model, ParameterSet parameters, TrainingStepOptions options, IEnumerable<(int[] Tokens, int[] Targets)> batches)
    {
        using var step = new TrainingStep(device, model.Config, parameters, options);
        step.ZeroGradients();
        var loss = batches.Sum(batch => step.Accumulate(batch.Tokens, batch.Targets, 0.01));
        return (loss, parameters.Tensors.Where(tensor => tensor.Trainable).ToDictionary(tensor => tensor.Name, tensor => parameters.Read(tensor.Name, ParameterKind.Gradient)));
    }

    /// <summary>|Δ| / |expected| of two vectors, which must not be larger than allowed.</summary>
    private static double Near(string name, double[] expected, float[] actual, double allowed)
    {
        var difference = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum());
        var size = Math.Sqrt(expected.Sum(value => value * value));
        Assert.True(difference <= allowed * size, $"{name}: |Δ| {difference:g3} of {size:g3}, {difference / size:g3}; allowed {allowed:g3}");
        return size == 0 ? 0 : difference / size;
    }
}
