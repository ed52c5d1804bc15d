namespace RetNet.Vulkan.Execution;

/// <summary>What a generation took.</summary>
public sealed record GenerationStatistics
{
    /// <summary>Tokens of the prompt, the one that begins the text included.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>From the start until the first token was there, or until the end where there was none.</summary>
    public required TimeSpan PromptTime { get; init; }

    /// <summary>Tokens generated, the one that ended the text included.</summary>
    public required long Tokens { get; init; }

    /// <summary>From the first token to the last.</summary>
    public required TimeSpan DecodeTime { get; init; }

    /// <summary>Why the text ended.</summary>
    public required StopReason Reason { get; init; }

    /// <summary>Prompt tokens a second.</summary>
    public double PromptRate => Rate(PromptTokens, PromptTime);

    /// <summary>Tokens a second after the first one, which belongs to the prompt's time.</summary>
    public double DecodeRate => Rate(Tokens - 1, DecodeTime);

    private static double Rate(long tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : 0;
}
