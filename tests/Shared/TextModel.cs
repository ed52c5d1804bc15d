using RetNet.Vulkan.Gguf;

namespace RetNet.Tests;

/// <summary>A tiny random model that takes and gives text: the demo tokenizer's 4096 tokens, id 0 begins and ends a text.</summary>
internal static class TextModel
{
    public const int VocabularySize = 4096;

    public static void Write(string path) =>
        new RandomModel(RandomModel.Shape(layers: 2, width: 32, heads: 2, keySize: 8, valueSize: 16, feedForward: 64, VocabularySize), seed: 7, _ => false)
            .Write(path, GgmlType.F32, AddTokenizer);

    public static void AddTokenizer(GgufWriter writer)
    {
        writer.Add("tokenizer.huggingface.json", File.ReadAllText(Repository.Fixture("tokenizers", "demo.tokenizer.json")));
        writer.Add("tokenizer.ggml.bos_token_id", 0u);
        writer.Add("tokenizer.ggml.eos_token_id", 0u);
        writer.Add("tokenizer.ggml.add_bos_token", true);
    }
}
