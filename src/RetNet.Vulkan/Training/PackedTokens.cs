namespace RetNet.Vulkan.Training;

/// <summary>
/// A stream of tokens cut into windows for training: window w reads tokens w·T to w·T + T − 1 and foretells the one after each,
/// so every token but the first is foretold once. The last window may be shorter; what it lacks is filled with inputs that
/// nothing looks at and targets that do not count. Immutable.
/// </summary>
public sealed class PackedTokens
{
    /// <summary>A target that does not count.</summary>
    public const int Ignored = TrainingStep.Ignored;

    private readonly int[] _tokens;

    /// <param name="tokens">The stream; fewer than two tokens make no window.</param>
    /// <param name="length">T, 1 or more.</param>
    public PackedTokens(int[] tokens, int length)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (_tokens, Length) = (tokens, length);
    }

    /// <summary>Tokens that a window reads, T.</summary>
    public int Length { get; }

    /// <summary>Tokens that are foretold, all windows together.</summary>
    public int Targets => Math.Max(_tokens.Length - 1, 0);

    /// <summary>Number of windows.</summary>
    public int Windows => (int)(((long)Targets + Length - 1) / Length);

    /// <summary>The stream.</summary>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <summary>Copies a window.</summary>
    /// <param name="window">From 0 to <see cref="Windows"/> − 1.</param>
    /// <param name="inputs">[T]; 0 where the stream has ended.</param>
    /// <param name="targets">[T]; <see cref="Ignored"/> where the stream has ended.</param>
    /// <returns>How many targets count.</returns>
    public int Copy(int window, Span<int> inputs, Span<int> targets)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(window, Windows);
        var start = window * Length;
        var count = Math.Min(Length, Targets - start);
        _tokens.AsSpan(start, count).CopyTo(inputs);
        _tokens.AsSpan(start + 1, count).CopyTo(targets);
        inputs[count..Length].Clear();
        targets[count..Length].Fill(Ignored);
        return count;
    }

    /// <summary>
    /// Entropy of the tokens that are foretold, −Σ p ln p with their own frequencies, in nats: the loss of the best model that
    /// does not look at what came before.
    /// </summary>
    public double UnigramEntropy()
    {
        var counts = new Dictionary<int, int>();
        foreach (var token in _tokens.AsSpan(Math.Min(1, _tokens.Length)))
            counts[token] = counts.GetValueOrDefault(token) + 1;
        return counts.Values.Sum(count => -(double)count / Targets * Math.Log((double)count / Targets));
    }
}
