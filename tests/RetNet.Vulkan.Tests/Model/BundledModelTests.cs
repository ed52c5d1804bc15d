using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Model;

public class BundledModelTests
{
    [Fact]
    public void Tales18M_IsAWholeModelWithItsTokenizer()
    {
        using GgufFile file = GgufFile.Open(Path.Combine(Repository.Root, "models", "tales-18m-q8_0.gguf"));
        RetNetConfig config = RetNetGguf.ReadConfig(file);
        TensorShapes.Validate(file, config);

        Assert.Equal("tales-18m", config.Name);
        Assert.Equal((8, 384, 3, 128, 256, 4096), (config.Layers, config.Width, config.Heads, config.KeySize, config.ValueSize, config.VocabularySize));
        Assert.Equal(18_094_464, file.Tensors.Values.Sum(tensor => tensor.Elements));
        Assert.All(file.Tensors.Values, tensor => Assert.Equal(tensor.Rows > 1 ? GgmlType.Q8_0 : GgmlType.F32, tensor.Type.Type));
        Assert.Equal(4096, file.GetArray<string>("tokenizer.ggml.tokens").Count);
        Assert.Contains("ByteLevel", file.GetString("tokenizer.huggingface.json"));
        Assert.Equal("<|endoftext|>", file.GetArray<string>("tokenizer.ggml.tokens")[(int)file.GetUInt32("tokenizer.ggml.eos_token_id")]);
    }
}
