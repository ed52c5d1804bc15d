namespace RetNet.Vulkan.Reference;

/// <summary>Gradients of what retention writes and of what it reads in one head over T tokens.</summary>
internal readonly ref struct RetentionHeadGradient
{
    /// <summary>dk.</summary>
    public required int KeySize { get; init; }

    /// <summary>dv.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Of the un-normalised retention, [T, dv].</summary>
    public required ReadOnlySpan<double> Outputs { get; init; }

    /// <summary>Of the rotated queries, [T, dk].</summary>
    public required Span<double> Queries { get; init; }

    /// <summary>Of the scaled and rotated keys, [T, dk].</summary>
    public required Span<double> Keys { get; init; }

    /// <summary>Of the values, [T, dv].</summary>
    public required Span<double> Values { get; init; }

    /// <summary>Of the output of one token, [dv].</summary>
    public ReadOnlySpan<double> Output(int token) => Outputs.Slice(token * ValueSize, ValueSize);

    /// <summary>Of the query of one token, [dk].</summary>
    public Span<double> Query(int token) => Queries.Slice(token * KeySize, KeySize);

    /// <summary>Of the key of one token, [dk].</summary>
    public Span<double> Key(int token) => Keys.Slice(token * KeySize, KeySize);

    /// <summary>Of the value of one token, [dv].</summary>
    public Span<double> Value(int token) => Values.Slice(token * ValueSize, ValueSize);
}
