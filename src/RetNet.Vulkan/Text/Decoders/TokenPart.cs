namespace RetNet.Vulkan.Text.Decoders;

/// <summary>A token of a decoder's list, or a part of it: a decoder that joins all tokens to one gives that one piece by piece.</summary>
/// <param name="Text">The characters, of which there may be none.</param>
/// <param name="First">Whether a token begins with this part.</param>
/// <param name="Last">Whether a token ends with this part.</param>
internal readonly record struct TokenPart(string Text, bool First, bool Last)
{
    /// <summary>A whole token.</summary>
    public static TokenPart Whole(string text) => new(text, First: true, Last: true);
}
