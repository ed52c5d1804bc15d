namespace RetNet.Vulkan.Verification;

/// <summary>Decays and angles for checks of retention.</summary>
internal static class CheckDecay
{
    /// <summary>γ from forgetting fast to not at all.</summary>
    public static float[] Of(int heads) => [.. Enumerable.Range(0, heads).Select(head => head == heads - 1 && heads > 2 ? 1 : 1 - MathF.ScaleB(1, -3 - 4 * head))];

    /// <summary>θ of each pair: 10000^(−i/n).</summary>
    public static float[] Angles(int keySize) => [.. Enumerable.Range(0, keySize / 2).Select(i => MathF.Pow(10000, -i / (keySize / 2f)))];
}
