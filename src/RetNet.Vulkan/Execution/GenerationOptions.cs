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
}
