namespace RetNet.Vulkan.Execution;

/// <summary>What generating texts together took.</summary>
public sealed record BatchStatistics
{
    /// <summary>Texts begun.</summary>
    public required int Sequences { get; init; }

    /// <summary>Tokens of their prompts, those that begin a text included.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public required long Tokens { get; init; }

    /// <summary>From the first prompt to the last token.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>The times of all sequences, from when their prompts were taken in until they ended, together.</summary>
    public required TimeSpan SequenceTime { get; init; }

    /// <summary>Tokens a second of all sequences together, prompts' time included.</summary>
    public double Rate => Per(Time);

    /// <summary>Tokens a second that a sequence had on average.</summary>
    public double SequenceRate => Per(SequenceTime);

    private double Per(TimeSpan time) => time > TimeSpan.Zero ? Tokens / time.TotalSeconds : 0;
}
