using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;
using RetNet.Vulkan.Tests.Gpu;
using RetNet.Vulkan.Tests.Reference;

namespace RetNet.Vulkan.Tests.Execution;

[Collection(TestDevices.Collection)]
public sealed class RecurrentSessionTests(TestDevices devices) : IDisposable
{
    private const int Seed = 20260;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string, string, string> ShapesAndTypes
    {
        get
        {
            var data = new TheoryData<int, string, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var shape in Shapes.Keys)
                    foreach (var type in BlockType.All)
                        data.Add((int)device[0], (string)device[1], shape, type.Name);
            return data;
        }
    }

    private static Dictionary<string, RetNetConfig> Shapes { get; } = new()
    {
        ["odd widths"] = RandomModel.Shape(layers: 2, width: 48, heads: 3, keySize: 16, valueSize: 20, feedForward: 72, vocabulary: 97),
        ["dv 54, embedding norm, scaled"] = RandomModel.Shape(layers: 2, width: 64, heads: 2, keySize: 32, valueSize: 54, feedForward: 108, vocabulary: 131) with { EmbeddingScale = 8, Activation = Activation.Gelu },
        ["post-norm, deepnorm"] = RandomModel.Shape(layers: 3, width: 32, heads: 4, keySize: 8, valueSize: 16, feedForward: 64, vocabulary: 61) with { PostNorm = true, ResidualScale = 1.5f },
        ["grouped values, plain eps, relu"] = RandomModel.Shape(layers: 1, width: 96, heads: 4, keySize: 6, valueSize: 7, feedForward: 33, vocabulary: 260) with { KeyValueHeads = 2, RetentionEpsScaled = false, RetentionEps = 1e-3f, Activation = Activation.Relu },
        ["one head of one pair, ungated, no decay"] = RandomModel.Shape(layers: 2, width: 32, heads: 1, keySize: 2, valueSize: 1, feedForward: 5, vocabulary: 3) with { OutputGate = false, Decay = [1] },
        ["blocks of 32"] = RandomModel.Shape(layers: 1, width: 128, heads: 2, keySize: 64, valueSize: 96, feedForward: 160, vocabulary: 300),
    };

    [Theory]
    [MemberData(nameof(ShapesAndTypes))]
    public void LogitsEqualTheOracle(int device, string name, string shape, string type)
    {
        _ = name;
        var path = WriteModel(Shapes[shape], type, shape);
        using var file = GgufFile.Open(path);
        using var model = RetNetModel.Load(devices[device], file, RecurrentSession.Plan(devices[device], Shapes[shape]));
        using var session = new RecurrentSession(model);
        var oracle = ReferenceModel.Load(file);
        var tokens = new Random(Seed).GetItems(Enumerable.Range(0, model.Config.VocabularySize).ToArray(), 37);

        var expected = oracle.Recurrent(tokens);
        var actual = session.Logits(tokens);

        Assert.Equal(tokens.Length, session.Position);
        Tolerance.Near(expected, [.. actual.SelectMany(row => row)], 1e-5);
    }

    private string WriteModel(RetNetConfig config, string type, string shape)
    {
        var path = _folder.File("model.gguf");
        new RandomModel(config, Seed, name => shape.Contains("embedding norm", StringComparison.Ordinal)
            ? name is "token_embd_norm.weight" or "output.weight"
            : shape.Contains("grouped", StringComparison.Ordinal) && name.Contains("attn_sub_norm", StringComparison.Ordinal)).Write(path, BlockType.Find(type)!.Type);
        return path;
    }
}
