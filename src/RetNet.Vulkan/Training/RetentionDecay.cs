using System.Globalization;

namespace RetNet.Vulkan.Training;

/// <summary>Decay rates of a model to train, by name or by value.</summary>
public static class RetentionDecay
{
    private const string MultiScale = "multiscale";
    private const string Single = "single:";

    /// <summary>
    /// Reads <c>multiscale</c>, γ_h = 1 − 2^(−5−h) (the RetNet paper, equation 8), <c>single:GAMMA</c>, the same γ in every head
    /// (the paper's ablation), or a value a head, separated by commas.
    /// </summary>
    /// <returns>γ of each head, in (0, 1].</returns>
    /// <exception cref="ArgumentException">It is none of these; the message says what is wrong.</exception>
    public static float[] Parse(string text, int heads)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == MultiScale)
            return [.. Enumerable.Range(0, heads).Select(head => 1 - MathF.ScaleB(1, -5 - head))];
        if (text.StartsWith(Single, StringComparison.Ordinal))
            return [.. Enumerable.Repeat(Gamma(text[Single.Length..]), heads)];
        var values = text.Split(',');
        return values.Length == heads
            ? [.. values.Select(Gamma)]
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"the decay must be {MultiScale}, {Single}GAMMA or {heads} values separated by commas, one a head; it is '{text}'"));
    }

    /// <summary>Above 0, since a head that forgets at once remembers nothing; 1 forgets never and is the most there is.</summary>
    private static float Gamma(string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var gamma) && gamma > 0 && gamma <= 1
            ? gamma
            : throw new ArgumentException($"a decay lies above 0 and at most at 1; it is '{text}'");
}
