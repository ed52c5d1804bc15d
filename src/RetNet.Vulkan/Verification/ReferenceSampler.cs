using RetNet.Vulkan.Execution;

namespace RetNet.Vulkan.Verification;

/// <summary>
/// The next token from logits as shaders/sampling/sample.comp draws it, in double precision and with the same random bits:
/// repetition penalty, filters on the untempered distribution, then argmax of l/T + G.
/// </summary>
internal static class ReferenceSampler
{
    /// <summary>l/T + G of every token that the filters keep, −∞ of the others; what is largest is drawn. At T = 0 the logits themselves.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="options">How to sample.</param>
    /// <param name="history">The sequence so far.</param>
    public static double[] Scores(ReadOnlySpan<float> logits, SamplerOptions options, ReadOnlySpan<int> history)
    {
        var l = new double[logits.Length];
        for (var i = 0; i < l.Length; i++)
            l[i] = logits[i];
        var recent = history[Math.Max(history.Length - options.RepeatWindow, 0)..];
        foreach (var token in new HashSet<int>(recent.ToArray()))
            l[token] = l[token] > 0 ? l[token] / options.RepeatPenalty : l[token] * options.RepeatPenalty;
        if (options.Temperature == 0)
            return l;

        var threshold = Threshold(l, options);
        var (low, high) = ((uint)options.Seed, (uint)(options.Seed >> 32));
        var key = high ^ Philox((uint)history.Length, high, low);
        for (var i = 0; i < l.Length; i++)
            l[i] = l[i] >= threshold ? l[i] / options.Temperature + Gumbel(Philox((uint)i, (uint)history.Length, key)) : double.NegativeInfinity;
        return l;
    }

    /// <summary>The smallest logit kept: top-k, top-p of the softmax over what that leaves, and min-p.</summary>
    private static double Threshold(double[] logits, SamplerOptions options)
    {
        var ordered = logits.OrderDescending().ToArray();
        // Equals of the K-th are all kept.
        var kept = options.TopK == 0 || options.TopK >= ordered.Length ? ordered : [.. ordered.TakeWhile(logit => logit >= ordered[options.TopK - 1])];
        var threshold = kept[^1];
        if (options.TopP < 1)
        {
            var mass = options.TopP * kept.Sum(logit => Math.Exp(logit - ordered[0]));
            var last = 0;
            for (var sum = Math.Exp(kept[0] - ordered[0]); sum < mass && last + 1 < kept.Length; sum += Math.Exp(kept[last] - ordered[0]))
                last++;
            threshold = kept[last];
        }

        return Math.Max(threshold, ordered[0] + Math.Log(options.MinP));
    }

    /// <summary>Philox 2×32-10 (Salmon et al., SC 2011).</summary>
    private static uint Philox(uint x, uint y, uint key)
    {
        for (var round = 0; round < 10; round++, key += 0x9E3779B9)
        {
            var product = (ulong)x * 0xD256D193;
            (x, y) = ((uint)(product >> 32) ^ key ^ y, (uint)product);
        }

        return x;
    }

    /// <summary>−ln(−ln u) of u = 1 − v.</summary>
    private static double Gumbel(uint random) => -Math.Log(-double.LogP1(-((random >> 9) + 0.5) * Math.ScaleB(1, -23)));
}
