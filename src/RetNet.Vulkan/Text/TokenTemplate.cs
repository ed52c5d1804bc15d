namespace RetNet.Vulkan.Text;

/// <summary>Ids put around the ids of a text: what <c>post_processor</c> does to a single text.</summary>
/// <param name="Before">Ids before it.</param>
/// <param name="After">Ids after it.</param>
internal sealed record TokenTemplate(int[] Before, int[] After)
{
    /// <summary>Nothing is put around a text.</summary>
    public static TokenTemplate None { get; } = new([], []);
}
