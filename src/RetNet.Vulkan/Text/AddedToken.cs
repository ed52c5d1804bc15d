namespace RetNet.Vulkan.Text;

/// <summary>A token that is matched in the text itself, before the model sees it.</summary>
internal sealed record AddedToken
{
    /// <summary>The token's id.</summary>
    public required int Id { get; init; }

    /// <summary>The text that it matches; not empty.</summary>
    public required string Content { get; init; }

    /// <summary>Matches only where no word character touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space to its left with it.</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Takes the white space to its right with it.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Matches in normalised text, in what the unnormalised tokens left.</summary>
    public bool Normalized { get; init; }

    /// <summary>Whether decoding may skip it.</summary>
    public bool Special { get; init; }
}
