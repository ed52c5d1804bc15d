namespace RetNet.Vulkan.Reference;

/// <summary>What retention reads in one head over T tokens.</summary>
internal readonly ref struct RetentionHead
{
    /// <summary>γ of this head.</summary>
    public required double Decay { get; init; }

    /// <summary>dk.</summary>
    public required int KeySize { get; init; }

    /// <summary>dv.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Rotated queries, [T, dk].</summary>
    public required ReadOnlySpan<double> Queries { get; init; }

    /// <summary>Scaled and rotated keys, [T, dk].</summary>
    public required ReadOnlySpan<double> Keys { get; init; }

    /// <summary>Values, [T, dv].</summary>
    public required ReadOnlySpan<double> Values { get; init; }

    /// <summary>T.</summary>
    public int Length => Values.Length / ValueSize;

    /// <summary>Query of one token, [dk].</summary>
    public ReadOnlySpan<double> Query(int token) => Queries.Slice(token * KeySize, KeySize);

    /// <summary>Key of one token, [dk].</summary>
    public ReadOnlySpan<double> Key(int token) => Keys.Slice(token * KeySize, KeySize);

    /// <summary>Value of one token, [dv].</summary>
    public ReadOnlySpan<double> Value(int token) => Values.Slice(token * ValueSize, ValueSize);
}
