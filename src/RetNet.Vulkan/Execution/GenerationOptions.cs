namespace RetNet.Vulkan.Execution;

/// <summary>How a text is generated.</summary>
public sealed record GenerationOptions
{
    /// <summary>How tokens are drawn.</summary>
    public SamplerOptions Sampler { get; init; } = new();

    /// <summary>Tokens at most; null goes on until something else ends the text.</summary>
    public long? MaxTokens { get; init; } = 200;

    /// <summary>Strings that end the text; they are not part of it. None may be empty.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Goes on after a token that ends a text.</summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>
    /// Leaves the session exactly behind the last token that was returned, as saving it needs; otherwise the device runs ahead of
    /// the reader, which is faster.
    /// </summary>
    public bool EndsExactly { get; init; }
}
