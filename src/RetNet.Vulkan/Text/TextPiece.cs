namespace RetNet.Vulkan.Text;

/// <summary>A stretch of the text.</summary>
/// <param name="Text">Its characters.</param>
/// <param name="Starts">Whether the whole text begins with it.</param>
internal readonly record struct TextPiece(string Text, bool Starts);
