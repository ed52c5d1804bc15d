namespace RetNet.Vulkan.Execution;

/// <summary>
/// How the next token is drawn. The defaults and the order are llama.cpp's: repetition penalty, top-k, top-p and
/// min-p on the untempered distribution, then the temperature.
/// </summary>
public sealed record SamplerOptions
{
    /// <summary>T of softmax(logits / T); 0 takes the largest logit (greedy).</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Keeps the K largest logits; 0 keeps all.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Keeps the fewest tokens whose probabilities reach P together; 1 keeps all.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Keeps tokens at least P times as probable as the most probable one; 0 keeps all.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Divides positive and multiplies negative logits of recent tokens; 1 is off.</summary>
    public float RepeatPenalty { get; init; } = 1;

    /// <summary>How many of the last tokens, the prompt's included, count as recent; at most <see cref="TokenLog.Capacity"/>.</summary>
    public int RepeatWindow { get; init; } = 64;

    /// <summary>The same seed on the same device gives the same text.</summary>
    public ulong Seed { get; init; }

    /// <summary>Always the largest logit.</summary>
    public static SamplerOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="ArgumentException">One line that names the option and its range.</exception>
    public void Validate()
    {
        Require(Temperature >= 0 && float.IsFinite(Temperature), "the temperature", Temperature, "0 or more");
        Require(TopK >= 0, "top-k", TopK, "0 or more");
        Require(TopP is > 0 and <= 1, "top-p", TopP, "above 0 and at most 1");
        Require(MinP is >= 0 and <= 1, "min-p", MinP, "from 0 to 1");
        Require(RepeatPenalty > 0 && float.IsFinite(RepeatPenalty), "the repetition penalty", RepeatPenalty, "above 0");
        Require(RepeatWindow is >= 0 and <= TokenLog.Capacity, "the repetition window", RepeatWindow, $"from 0 to {TokenLog.Capacity}");
    }

    private static void Require(bool condition, string name, IFormattable value, string range)
    {
        if (!condition)
            throw new ArgumentException($"{name} must be {range}; it is {value.ToString(null, System.Globalization.CultureInfo.InvariantCulture)}");
    }
}
