namespace RetNet.Vulkan.Text.Normalizers;

/// <summary>Composes after decomposing, and whether compatibility characters decompose too (UAX #15).</summary>
internal readonly record struct UnicodeForm(bool Compose, bool Compatible)
{
    /// <summary>Canonical decomposition, then composition.</summary>
    public static UnicodeForm C { get; } = new(Compose: true, Compatible: false);

    /// <summary>Canonical decomposition.</summary>
    public static UnicodeForm D { get; } = new(Compose: false, Compatible: false);

    /// <summary>Compatibility decomposition, then composition.</summary>
    public static UnicodeForm KC { get; } = new(Compose: true, Compatible: true);

    /// <summary>Compatibility decomposition.</summary>
    public static UnicodeForm KD { get; } = new(Compose: false, Compatible: true);
}
