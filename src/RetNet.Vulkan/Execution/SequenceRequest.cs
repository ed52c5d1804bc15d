using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>A sequence that a <see cref="RecurrentBatch"/> is to decode.</summary>
public sealed record SequenceRequest
{
    /// <summary>Tokens that may end a sequence.</summary>
    public const int MostEnds = SamplerEntry.MostEnds;

    /// <summary>What it begins with; at least one token.</summary>
    public required ReadOnlyMemory<int> Prompt { get; init; }

    /// <summary>Tokens to sample at most, at least one.</summary>
    public long MaxTokens { get; init; } = long.MaxValue;

    /// <summary>How they are drawn.</summary>
    public SamplerOptions Sampler { get; init; } = new();

    /// <summary>Tokens that end the sequence when they are drawn; at most <see cref="MostEnds"/>.</summary>
    public IReadOnlyCollection<int> Ends { get; init; } = [];

    /// <summary>Refuses what a model cannot decode.</summary>
    /// <exception cref="ArgumentException">One line that says what is wrong.</exception>
    public void Validate(RetNetConfig config)
    {
        if (Prompt.IsEmpty)
            throw new ArgumentException("the prompt has no token");
        if (MaxTokens < 1)
            throw new ArgumentException($"at least 1 token is sampled; {MaxTokens} were asked for");
        if (Ends.Count > MostEnds)
            throw new ArgumentException($"at most {MostEnds} tokens may end a sequence; {Ends.Count} were given");
        Vocabulary.RequireKnown(Prompt.Span, config);
        Vocabulary.RequireKnown([.. Ends], config);
        Sampler.Validate();
    }
}
