using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>All that a session is: what <see cref="SessionFile"/> keeps of one.</summary>
public sealed class SavedSession
{
    /// <summary>Tokens that the state has taken in.</summary>
    public required long Position { get; init; }

    /// <summary>Whether the last token has not been taken in (<see cref="RecurrentSession.Pending"/>).</summary>
    public required bool IsPending { get; init; }

    /// <summary>The last tokens, the pending one included; at most <see cref="TokenLog.Capacity"/>.</summary>
    public required int[] RecentTokens { get; init; }

    /// <summary>How it sampled.</summary>
    public required SamplerOptions Sampler { get; init; }

    /// <summary>The state of each layer: S, un-normalised, [head][dk][dv].</summary>
    public required float[][] Layers { get; init; }

    /// <summary>Tokens of the sequence, the pending one included.</summary>
    internal long End => Position + (IsPending ? 1 : 0);

    /// <summary>Refuses what cannot be a session of a model.</summary>
    /// <exception cref="ArgumentException">One line that says what does not fit.</exception>
    public void Validate(RetNetConfig config)
    {
        if (RecentTokens.Length != Math.Min(End, TokenLog.Capacity))
            throw new ArgumentException($"{RecentTokens.Length} tokens are not the last ones of {End}");
        Vocabulary.RequireKnown(RecentTokens, config);
        Sampler.Validate();
    }
}
