using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Token numbers without meaning.</summary>
internal static class RandomTokens
{
    public static int[] Of(RetNetConfig config, int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(config.VocabularySize))];
    }
}
