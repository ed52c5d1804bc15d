namespace RetNet.Vulkan.Gpu;

/// <summary>The SPIR-V variants embedded in this assembly.</summary>
public static class ShaderLibrary
{
    private const string Suffix = ".spv";

    /// <summary>Names of all variants, as in shaders/variants.props, without those that the build's compiler was too old for.</summary>
    public static IReadOnlyList<string> Variants { get; } =
        [.. typeof(ShaderLibrary).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(Suffix, StringComparison.Ordinal)).Select(name => name[..^Suffix.Length]).Order(StringComparer.Ordinal)];

    /// <summary>Whether this build has a variant.</summary>
    public static bool Has(string variant) => Variants.Contains(variant, StringComparer.Ordinal);

    /// <summary>The SPIR-V of a variant.</summary>
    /// <exception cref="GpuException">This build has no such variant.</exception>
    public static byte[] Load(string variant)
    {
        using var stream = typeof(ShaderLibrary).Assembly.GetManifestResourceStream(variant + Suffix)
            ?? throw new GpuException($"This build has no kernel '{variant}'.");
        var spirv = new byte[stream.Length];
        stream.ReadExactly(spirv);
        return spirv;
    }
}
