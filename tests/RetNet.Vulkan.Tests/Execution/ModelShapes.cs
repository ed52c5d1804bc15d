using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>Small random models that between them have everything a RetNet may have.</summary>
internal static class ModelShapes
{
    private const int Seed = 20260;

    private static Dictionary<string, (RetNetConfig Config, Func<string, bool> Optional)> All { get; } = new()
    {
        ["odd widths"] = (RandomModel.Shape(layers: 2, width: 48, heads: 3, keySize: 16, valueSize: 20, feedForward: 72, vocabulary: 97), _ => false),
        ["dv 54, embedding norm, scaled"] = (
            RandomModel.Shape(layers: 2, width: 64, heads: 2, keySize: 32, valueSize: 54, feedForward: 108, vocabulary: 131) with { EmbeddingScale = 8, Activation = Activation.Gelu },
            name => name is "token_embd_norm.weight" or "output.weight"),
        ["post-norm, deepnorm"] = (RandomModel.Shape(layers: 3, width: 32, heads: 4, keySize: 8, valueSize: 16, feedForward: 64, vocabulary: 61) with { PostNorm = true, ResidualScale = 1.5f }, _ => false),
        ["grouped values, plain eps, relu"] = (
            RandomModel.Shape(layers: 1, width: 96, heads: 4, keySize: 6, valueSize: 7, feedForward: 33, vocabulary: 260) with { KeyValueHeads = 2, RetentionEpsScaled = false, RetentionEps = 1e-3f, Activation = Activation.Relu },
            name => name.Contains("attn_sub_norm", StringComparison.Ordinal)),
        ["one head of one pair, ungated, no decay"] = (RandomModel.Shape(layers: 2, width: 32, heads: 1, keySize: 2, valueSize: 1, feedForward: 5, vocabulary: 3) with { OutputGate = false, Decay = [1] }, _ => false),
        ["blocks of 32"] = (RandomModel.Shape(layers: 1, width: 128, heads: 2, keySize: 64, valueSize: 96, feedForward: 160, vocabulary: 300), _ => false),
        ["LayerNorm, biases, plain FFN"] = (
            RandomModel.Shape(layers: 2, width: 40, heads: 2, keySize: 10, valueSize: 13, feedForward: 50, vocabulary: 70) with { NormType = NormType.Layer, RetentionNormType = NormType.Layer, GatedFeedForward = false, Activation = Activation.Gelu },
            name => name.EndsWith(".bias", StringComparison.Ordinal) || name.Contains("ffn_sub_norm", StringComparison.Ordinal)),
        ["RMSNorm, inner LayerNorm, some biases, post-norm"] = (
            RandomModel.Shape(layers: 2, width: 32, heads: 2, keySize: 8, valueSize: 12, feedForward: 32, vocabulary: 50) with { GatedFeedForward = false, PostNorm = true },
            name => name.Contains("ffn_sub_norm", StringComparison.Ordinal) || name is "blk.0.attn_k.bias" or "blk.1.ffn_down.bias"),
    };

    public static IEnumerable<string> Names => All.Keys;

    public static RandomModel Create(string name) => new(All[name].Config, Seed, All[name].Optional);

    /// <summary>The model with other optional tensors besides its own.</summary>
    public static RandomModel Create(string name, Func<string, bool> more) => new(All[name].Config, Seed, tensor => All[name].Optional(tensor) || more(tensor));

    /// <summary>Writes the model and loads it onto a device.</summary>
    public static RetNetModel Load(Vulkan.Gpu.GpuDevice device, string name, string type, string path)
    {
        Create(name).Write(path, BlockType.Find(type)!.Type);
        using var file = GgufFile.Open(path);
        return RetNetModel.Load(device, file, new Vulkan.Gpu.MemoryPlan());
    }
}
