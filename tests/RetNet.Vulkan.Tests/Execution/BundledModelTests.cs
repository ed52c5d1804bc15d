using System.Text.Json;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Tests.Reference;
using RetNet.Vulkan.Text;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>The bundled model tells the tales that torchscale told with the weights it was converted from.</summary>
[Collection(TestDevices.Collection)]
public sealed class BundledModelTests(TestDevices devices)
{
    private const int Tokens = 60;

    public static TheoryData<int, string> Devices => TestDevices.All;

    [Theory]
    [MemberData(nameof(Devices))]
    public void GreedyTextIsTorchscales(int device, string name)
    {
        _ = name;
        using var file = OpenModel();
        using var model = RetNetModel.Load(devices[device], file, RecurrentSession.Plan(devices[device], RetNetGguf.ReadConfig(file)));
        using var session = new RecurrentSession(model);
        var tokenizer = Tokenizer.Parse(file.GetString("tokenizer.huggingface.json"));
        using var samples = JsonDocument.Parse(File.ReadAllBytes(Repository.Fixture("tales-18m", "samples.json")));
        foreach (var sample in samples.RootElement.EnumerateObject())
        {
            session.Reset();
            int[] prompt = [0, .. tokenizer.Encode(sample.Name)];
            var text = tokenizer.Decode(prompt.Skip(1).Concat(session.Generate(prompt, Tokens, SamplerOptions.Greedy)));
            Assert.StartsWith(text, sample.Value.GetProperty("greedy").GetString(), StringComparison.Ordinal);
        }
    }

    /// <summary>One text, three forms: two windows, the second shorter, of several chunks.</summary>
    [Theory]
    [MemberData(nameof(Devices))]
    public void EveryFormForeseesATextAlike(int device, string name)
    {
        _ = name;
        using var file = OpenModel();
        using var model = RetNetModel.Load(devices[device], file, new MemoryPlan());
        var tokens = new SafetensorsFixture(Repository.Fixture("tales-18m", "reference.safetensors")).Ints("val.ids").AsMemory(0, 26);
        var recurrent = Evaluate(ComputationMode.Recurrent);
        Assert.InRange(recurrent, 0.5, 4);
        Assert.Equal(recurrent, Evaluate(ComputationMode.Chunkwise), 1e-5 * recurrent);
        Assert.Equal(recurrent, Evaluate(ComputationMode.Parallel), 1e-5 * recurrent);

        double Evaluate(ComputationMode mode) => Perplexity.Evaluate(model, tokens, window: 20, new EvaluationOptions { Mode = mode, ChunkLength = 8 }).MeanNll;
    }

    private static GgufFile OpenModel() => GgufFile.Open(Path.Combine(Repository.Root, "models", "tales-18m-q8_0.gguf"));
}
