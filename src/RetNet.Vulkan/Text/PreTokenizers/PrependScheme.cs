namespace RetNet.Vulkan.Text.PreTokenizers;

/// <summary>Where <c>Metaspace</c> puts a space before text that does not begin with one.</summary>
internal enum PrependScheme
{
    /// <summary>Before every stretch between added tokens.</summary>
    Always,

    /// <summary>Before the stretch that the text begins with.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,
}
