using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>
/// Heads, value rows, feed-forward rows and vocabularies of the published configurations, one layer of each with random
/// weights and a narrow residual stream: torchscale's examples/fairseq/models/retnet.py, fla-hub's and syncdoth's config.json.
/// </summary>
[Collection(TestDevices.Collection)]
public sealed class PublishedShapesTests(TestDevices devices) : IDisposable
{
    private const int Length = 20;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, string, string> Shapes
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var shape in All.Keys)
                    data.Add((int)device[0], (string)device[1], shape);
            return data;
        }
    }

    // Rows of 4280 and 8560 are no whole blocks: attn_output and ffn_down of a q8_0 file are f16 there. Of torchscale 65B's heads the last 12 do not decay in f32.
    private static Dictionary<string, (RetNetConfig Config, GgmlType Type)> All { get; } = new()
    {
        ["torchscale base: 2 heads of 256/432"] = (RandomModel.Shape(layers: 1, width: 128, heads: 2, keySize: 256, valueSize: 432, feedForward: 864, vocabulary: 100), GgmlType.F32),
        ["torchscale 3B: 10 heads of 256/428, rows of 4280"] = (RandomModel.Shape(layers: 1, width: 64, heads: 10, keySize: 256, valueSize: 428, feedForward: 4280, vocabulary: 100), GgmlType.Q8_0),
        ["torchscale 13B: 20 heads of 256/428, rows of 8560"] = (RandomModel.Shape(layers: 1, width: 64, heads: 20, keySize: 256, valueSize: 428, feedForward: 8560, vocabulary: 100), GgmlType.Q8_0),
        ["torchscale 65B: 32 heads of 256/432"] = (RandomModel.Shape(layers: 1, width: 32, heads: 32, keySize: 256, valueSize: 432, feedForward: 864, vocabulary: 100), GgmlType.F16),
        ["fla 1.3B: 8 heads of 256/512, vocabulary 32000"] = (
            RandomModel.Shape(layers: 1, width: 32, heads: 8, keySize: 256, valueSize: 512, feedForward: 2816, vocabulary: 32000) with { RetentionEpsScaled = false, Angles = FlaAngles(256) }, GgmlType.F16),
        ["syncdoth 300M: 8 heads of 160/320, vocabulary 50257"] = (RandomModel.Shape(layers: 1, width: 32, heads: 8, keySize: 160, valueSize: 320, feedForward: 2560, vocabulary: 50257), GgmlType.F16),
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryFormEqualsTheOracle(int device, string name, string shape)
    {
        _ = name;
        var path = _folder.File("model.gguf");
        var random = new RandomModel(All[shape].Config, seed: 20260, optional => optional.Contains("attn_sub_norm", StringComparison.Ordinal));
        random.Write(path, All[shape].Type);
        using var file = GgufFile.Open(path);
        using var model = RetNetModel.Load(devices[device], file, new MemoryPlan());
        var tokens = random.Tokens(Length, seed: 7);
        var state = new ReferenceState(model.Config);
        var expected = ReferenceModel.Load(file).Chunkwise(tokens, Length, state);
        using (var session = new RecurrentSession(model))
            Require([.. session.Logits(tokens).SelectMany(row => row)], session.State);
        foreach (int? chunkLength in new int?[] { 8, null })
        {
            using var batch = new SequenceBatch(model, 1, new SequenceOptions { ChunkLength = chunkLength, PassLength = Length });
            List<float> logits = [];
            batch.Feed([tokens], (_, _, row) => logits.AddRange(row));
            Require([.. logits], batch.State);
        }

        void Require(float[] logits, RetentionState actual)
        {
            Tolerance.Near(expected, logits, 1e-5);
            Tolerance.Near(state.Layer(0).ToArray(), actual.Read(0), 1e-5);
        }
    }

    /// <summary>θ_i = 10000^(−2i / dk).</summary>
    private static float[] FlaAngles(int keySize) => [.. Enumerable.Range(0, keySize / 2).Select(i => (float)Math.Pow(10000, -2.0 * i / keySize))];
}
