using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Where parameters lie, what they hold, and that it can be read and written.</summary>
[Collection(TestDevices.Collection)]
public sealed class ParameterSetTests(TestDevices devices) : IDisposable
{
    // Rows of 60 and 72 are padded.
    private static RetNetConfig Config { get; } = RandomModel.Shape(layers: 2, width: 60, heads: 3, keySize: 10, valueSize: 14, feedForward: 72, vocabulary: 97);

    private readonly TemporaryFolder _folder = new();

    private GpuDevice First => devices[(int)TestDevices.All.First()[0]];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GgmlType.F32, 0)]
    [InlineData(GgmlType.F16, 1e-3)]
    [InlineData(GgmlType.BF16, 1e-2)]
    public void AFilesWeightsAreThereAsTheyWere(GgmlType type, double tolerance)
    {
        var model = new RandomModel(Config, 3, name => name.EndsWith(".bias", StringComparison.Ordinal) || name == "output.weight");
        using var file = Open(model, type);
        using var parameters = ParameterSet.Load(First, Config, file);

        Assert.Equal(file.Tensors.Keys.Order(StringComparer.Ordinal), parameters.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in parameters.Tensors)
            Tolerance.Near([.. model.Tensor(tensor.Name)!.Select(value => (double)value)], parameters.Read(tensor.Name), tensor.IsMatrix ? tolerance : 0);
        Assert.All(parameters.Tensors, tensor => Assert.All(parameters.Read(tensor.Name, ParameterKind.Gradient), value => Assert.Equal(0, value)));
    }

    /// <summary>Matrices that share an input are rows of one matrix, and their biases one vector.</summary>
    [Fact]
    public void WhatSharesAnInputLiesTogether()
    {
        var model = new RandomModel(Config, 3, name => name.EndsWith(".bias", StringComparison.Ordinal));
        using var file = Open(model, GgmlType.F32);
        using var parameters = ParameterSet.Load(First, Config, file);
        foreach (var names in new[] { new[] { TensorNames.Query(1), TensorNames.Key(1), TensorNames.Value(1), TensorNames.Gate(1) }, [TensorNames.FeedForwardGate(1), TensorNames.FeedForwardUp(1)] })
            for (var i = 1; i < names.Length; i++)
            {
                var (before, after) = (parameters[names[i - 1] + ".weight"], parameters[names[i] + ".weight"]);
                Assert.Equal(before.Weight + ((ulong)before.Rows * (ulong)before.Stride * sizeof(float)), after.Weight);
                Assert.Equal(before.Gradient + ((ulong)before.Rows * (ulong)before.Stride * sizeof(float)), after.Gradient);
                var (bias, next) = (parameters[names[i - 1] + ".bias"], parameters[names[i] + ".bias"]);
                Assert.Equal(bias.Weight + ((ulong)bias.Columns * sizeof(float)), next.Weight);
                Assert.Equal(bias.Gradient + ((ulong)bias.Columns * sizeof(float)), next.Gradient);
            }

        Assert.All(parameters.Tensors.Where(tensor => tensor.IsMatrix), tensor => Assert.Equal(0ul, tensor.Weight % 256));
    }

    [Fact]
    public void SomeBiasesOfASharedInputAreRefused()
    {
        var model = new RandomModel(Config, 3, name => name == "blk.1.attn_k.bias");
        using var file = Open(model, GgmlType.F32);
        Assert.Contains("'blk.1.attn_k.bias'", Assert.Throws<ModelException>(() => ParameterSet.Load(First, Config, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsWrittenIsReadAndNothingElse()
    {
        using var parameters = ParameterSet.Random(First, Config, new Initialisation(1), tied: true);
        parameters.AddMoments(2);
        var random = new Random(5);
        foreach (var kind in Enum.GetValues<ParameterKind>())
        {
            var before = parameters.Tensors.ToDictionary(tensor => tensor.Name, tensor => parameters.Read(tensor.Name, kind));
            foreach (var name in new[] { "blk.1.attn_v.weight", "blk.0.ffn_norm.weight" })
            {
                before[name] = [.. before[name].Select(_ => random.NextSingle())];
                parameters.Write(name, kind, before[name]);
            }

            Assert.All(before, pair => Assert.Equal(pair.Value, parameters.Read(pair.Key, kind)));
        }

        Assert.Throws<ArgumentException>(() => parameters.Write("blk.0.ffn_norm.weight", ParameterKind.Weight, new float[61]));
        Assert.Throws<KeyNotFoundException>(() => parameters.Read("blk.2.ffn_norm.weight"));
    }

    [Fact]
    public void FrozenTensorsHaveNoGradientAndNoMoments()
    {
        var before = First.AllocatedBytes;
        using (var parameters = ParameterSet.Load(First, Config, Open(new RandomModel(Config, 3, _ => false), GgmlType.F32), trainable: name => name.Contains("attn_v", StringComparison.Ordinal)))
        {
            parameters.AddMoments(1);
            Assert.Equal(0ul, parameters["blk.0.attn_q.weight"].Gradient);
            Assert.NotEqual(0ul, parameters["blk.0.attn_v.weight"].Gradient);
            Assert.False(parameters.Has("blk.0.attn_q.weight", ParameterKind.FirstMoment));
            Assert.True(parameters.Has("blk.0.attn_v.weight", ParameterKind.FirstMoment));
            Assert.False(parameters.Has("blk.0.attn_v.weight", ParameterKind.SecondMoment));
            Assert.Equal(2 * 42 * 60, parameters.TrainedElements);
            Assert.Throws<InvalidOperationException>(() => parameters.Read("blk.0.attn_q.weight", ParameterKind.Gradient));
        }

        Assert.Equal(before, First.AllocatedBytes);
    }

    [Fact]
    public void RandomWeightsHaveTorchscalesSizes()
    {
        using var parameters = ParameterSet.Random(First, Config, new Initialisation(7));
        using var same = ParameterSet.Random(First, Config, new Initialisation(7));
        using var other = ParameterSet.Random(First, Config, new Initialisation(8));
        Assert.All(parameters.Tensors, tensor => Assert.Equal(parameters.Read(tensor.Name), same.Read(tensor.Name)));
        Assert.NotEqual(parameters.Read("output.weight"), other.Read("output.weight"));
        Assert.NotEqual(parameters.Read("blk.0.attn_q.weight"), parameters.Read("blk.1.attn_q.weight"));

        Assert.InRange(Deviation("token_embd.weight") * Math.Sqrt(60), 0.95, 1.05);
        Assert.InRange(Deviation("output.weight") * Math.Sqrt(60), 0.95, 1.05);
        var xavier = Math.Sqrt(2.0 / (60 + 42));
        Assert.InRange(Deviation("blk.0.attn_gate.weight") / (xavier * Math.Pow(2, -2.5)), 0.95, 1.05);
        Assert.InRange(Deviation("blk.0.attn_output.weight") / (xavier / 2), 0.95, 1.05);
        Assert.InRange(Deviation("blk.0.ffn_down.weight") * Math.Sqrt(3 * 72), 0.95, 1.05);
        Assert.All(parameters.Read("blk.1.attn_norm.weight"), value => Assert.Equal(1, value));

        double Deviation(string name) => Math.Sqrt(parameters.Read(name).Average(value => (double)value * value));
    }

    private GgufFile Open(RandomModel model, GgmlType type)
    {
        var path = Path.Combine(_folder.Path, $"{Guid.NewGuid()}.gguf");
        model.Write(path, type);
        return GgufFile.Open(path);
    }
}
