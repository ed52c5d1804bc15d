namespace RetNet.Vulkan.Training;

/// <summary>
/// The order in which windows are read: a function of seed and epoch and nothing else, so that a run that goes on after a stop
/// sees what it would have seen without.
/// </summary>
internal static class WindowOrder
{
    /// <summary>A permutation of 0 to <paramref name="windows"/> − 1 (Fisher and Yates).</summary>
    public static int[] Of(int windows, ulong seed, long epoch)
    {
        var order = Enumerable.Range(0, windows).ToArray();
        var state = Mix(Mix(seed) + (ulong)epoch);
        for (var i = windows - 1; i > 0; i--)
        {
            state += 0x9E37_79B9_7F4A_7C15;
            var j = (int)Math.BigMul(Mix(state), (ulong)i + 1, out _);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>The output function of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). .NET's own generator may change between versions.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
