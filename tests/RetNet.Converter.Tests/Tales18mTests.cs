using System.Runtime.InteropServices;
using System.Text.Json;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;
using RetNet.Vulkan.Text;

namespace RetNet.Converter.Tests;

/// <summary>A trained checkpoint converted to f16 against what torchscale computed with it.</summary>
[Collection(TestDevices.Collection)]
public sealed class Tales18mTests(TestDevices devices) : IDisposable
{
    private const int Prompts = 4;
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int, string> Devices => TestDevices.All;

    /// <summary>All but SwiftShader, which takes minutes for a window.</summary>
    public static TheoryData<int, string> FastDevices
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var device in TestDevices.All.Where(device => !((string)device[1]).Contains("SwiftShader", StringComparison.Ordinal)))
                data.Add((int)device[0], (string)device[1]);
            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Tales18mTheory]
    [MemberData(nameof(Devices))]
    public void LogitsAndGreedyTextAreTorchscales(int device, string name)
    {
        _ = name;
        var path = _folder.File("tales.gguf");
        CheckpointConverter.Convert(Tales18mTheoryAttribute.Folder!, path, BlockType.Of(GgmlType.F16));
        using var file = GgufFile.Open(path);
        using var model = RetNetModel.Load(devices[device], file, RecurrentSession.Plan(devices[device], RetNetGguf.ReadConfig(file)));
        using var session = new RecurrentSession(model);
        var oracle = ReferenceModel.Load(file);
        var tokenizer = Tokenizer.Parse(file.GetString("tokenizer.huggingface.json"));
        using var reference = SafeTensorsFile.Open(Repository.Fixture("tales-18m", "reference.safetensors"));
        using var samples = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture("tales-18m", "samples.json")));
        var sample = samples.RootElement.EnumerateObject();
        for (var prompt = 0; prompt < Prompts; prompt++)
        {
            Assert.True(sample.MoveNext());
            int[] ids = [0, .. tokenizer.Encode(sample.Current.Name)];
            var expected = new float[ids.Length * model.Config.VocabularySize];
            reference.Tensors[$"p{prompt}.logits_recurrent"].Read(0, expected);

            Tolerance.Near(expected, oracle.Recurrent(ids), 1e-3);
            session.Reset();
            Tolerance.Near(expected, [.. session.Logits(ids).SelectMany(row => row)], 1e-3);
            session.Reset();
            var text = tokenizer.Decode(ids.Skip(1).Concat(session.Generate(ids, 60, SamplerOptions.Greedy)));
            Assert.StartsWith(text, sample.Current.Value.GetProperty("greedy").GetString(), StringComparison.Ordinal);
        }
    }

    /// <summary>Four windows of 1,024 tokens. torchscale evaluated in its parallel form, so only the clamp has its very ε.</summary>
    [Tales18mTheory]
    [MemberData(nameof(FastDevices))]
    public void MeanNllIsTorchscales(int device, string name)
    {
        _ = name;
        const int window = 1024;
        var path = _folder.File("tales.gguf");
        CheckpointConverter.Convert(Tales18mTheoryAttribute.Folder!, path, BlockType.Of(GgmlType.F16));
        using var file = GgufFile.Open(path);
        using var model = RetNetModel.Load(devices[device], file, new MemoryPlan());
        using var reference = SafeTensorsFile.Open(Repository.Fixture("tales-18m", "reference.safetensors"));
        var ids = MemoryMarshal.Cast<byte, int>(reference.Tensors["val.ids"].Span(0, (int)reference.Tensors["val.ids"].Bytes)).ToArray();
        var expected = new float[1];
        reference.Tensors["val.mean_nll_1024"].Read(0, expected);

        var parallel = Perplexity.Evaluate(model, ids, window, new EvaluationOptions { Mode = ComputationMode.Parallel, TorchscaleClamp = true });
        Assert.Equal(4 * window, parallel.Tokens);
        Assert.Equal(expected[0], parallel.MeanNll, 1e-4);
        Assert.Equal(expected[0], Perplexity.Evaluate(model, ids, window, new EvaluationOptions()).MeanNll, 5e-4);
    }
}
