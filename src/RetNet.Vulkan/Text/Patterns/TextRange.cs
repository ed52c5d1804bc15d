namespace RetNet.Vulkan.Text.Patterns;

/// <summary>UTF-16 units <paramref name="Start"/> to <paramref name="End"/>, the latter exclusive.</summary>
internal readonly record struct TextRange(int Start, int End);
