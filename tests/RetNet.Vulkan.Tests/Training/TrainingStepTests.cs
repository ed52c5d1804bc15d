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

    /// <summary>A head of one value: its norm gives ±1, and what is left of the gradient is a difference of nearly equal numbers.</summary>
    private const string OneValue = "one head of one pair, ungated, no decay";

    /// <summary>
    /// What goes into its inner LayerNorm is a tenth of other models'. Biases of some of the matrices that share an input cannot be trained; here all have one.
    /// </summary>
    private const string InnerNorm = "RMSNorm, inner LayerNorm, some biases, post-norm";

    private const string LayerNorms = "LayerNorm, biases, plain FFN";

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
        var allowed = name switch { OneValue => 5e-4, InnerNorm => 5e-5, _ => Allowed };
        foreach (var (chunkLength, clamp) in new (int?, bool)[] { (16, false), (null, false), (null, model.Config.RetentionEpsScaled) })
        {
            var (expected, reference) = model.Reference(tokens, targets, length, 0.01, chunkLength, clamp);
            var (loss, gradients) = Run(devices[device], model, parameters, new() { Sequences = sequences, Length = length, ChunkLength = chunkLength, TorchscaleClamp = clamp }, [(tokens, targets)]);

            Assert.InRange(Math.Abs(loss - expected) / expected, 0, Allowed);
            var worst = gradients.Max(gradient => Near(gradient.Key, reference[gradient.Key], gradient.Value, allowed));
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

    /// <summary>
    /// With y = x (W + s B A)ᵀ the gradients of the factors follow from that of the merged matrix: dA = s Bᵀ dW and dB = s dW Aᵀ. The model itself is not trained.
    /// </summary>
    [Theory]
    [MemberData(nameof(TestDevices.All), MemberType = typeof(TestDevices))]
    public void AdaptersAreTrainedAlone(int device, string name)
    {
        const int length = 21, rank = 3;
        const float scale = 1.5f;
        string[] adapted = ["blk.0.attn_k", "blk.0.attn_gate", "blk.1.attn_output", "blk.1.ffn_up", "blk.0.ffn_down"];
        var model = Create(Small);
        var (tokens, targets) = model.Sequences(2, length, 17);
        using var folder = new TemporaryFolder();
        var factors = adapted.SelectMany(matrix => new[]
        {
            new ParameterShape(AdapterNames.A(matrix), rank, model.Weight(matrix).Columns),
            new ParameterShape(AdapterNames.B(matrix), model.Weight(matrix).Rows, rank),
        });
        using var parameters = model.Load(devices[device], folder, _ => false, [new ParameterGroup("adapters", [.. factors])]);
        var random = new Random(4);
        foreach (var tensor in parameters.Tensors.Where(tensor => tensor.Trainable))
            parameters.Write(tensor.Name, ParameterKind.Weight, Enumerable.Range(0, (int)tensor.Elements).Select(_ => random.NextSingle() - 0.5f).ToArray());
        var (_, gradients) = Run(devices[device], model, parameters, new() { Sequences = 2, Length = length, AdapterScale = scale }, [(tokens, targets)]);

        Assert.Equal(2 * adapted.Length, gradients.Count);
        foreach (var matrix in adapted)
            model.Merge(matrix, parameters.Read(AdapterNames.A(matrix)), parameters.Read(AdapterNames.B(matrix)), rank, scale);
        var (_, reference) = model.Reference(tokens, targets, length, 0.01);
        foreach (var matrix in adapted)
        {
            var (rows, columns) = model.Weight(matrix);
            var (a, b, dw) = (parameters.Read(AdapterNames.A(matrix)), parameters.Read(AdapterNames.B(matrix)), reference[$"{matrix}.weight"]);
            var (da, db) = (new double[a.Length], new double[b.Length]);
            for (var row = 0; row < rows; row++)
                for (var column = 0; column < columns; column++)
                    for (var r = 0; r < rank; r++)
                    {
                        da[r * columns + column] += scale * b[row * rank + r] * dw[row * columns + column];
                        db[row * rank + r] += scale * dw[row * columns + column] * a[r * columns + column];
                    }

            // Merged factors of ±½ are larger than a model's weights, and so is what rounds.
            Near($"{matrix}, A, on {name}", da, gradients[AdapterNames.A(matrix)], 2 * Allowed);
            Near($"{matrix}, B, on {name}", db, gradients[AdapterNames.B(matrix)], 2 * Allowed);
        }
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

    private static GradientModel Create(string name) => new(name switch
    {
        InnerNorm => ModelShapes.Create(name, tensor => tensor.EndsWith(".bias", StringComparison.Ordinal)),
        LayerNorms => ModelShapes.Create(name, tensor => tensor is "token_embd_norm.weight" or "blk.1.attn_sub_norm.weight"),
        _ => ModelShapes.Create(name),
    });

    private static (double Loss, Dictionary<string, float[]> Gradients) Run(
        GpuDevice device, GradientModel model, ParameterSet parameters, TrainingStepOptions options, IEnumerable<(int[] Tokens, int[] Targets)> batches)
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
