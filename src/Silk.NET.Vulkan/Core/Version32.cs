namespace Silk.NET.Core;

/// <summary>A version packed as Vulkan packs it: 10 bits of major (the variant above 7 of them), 10 of minor, 12 of patch.</summary>
public readonly struct Version32
{
    public Version32(uint major, uint minor, uint patch) => Value = major << 22 | minor << 12 | patch;

    private Version32(uint value) => Value = value;

    /// <summary>The packed value.</summary>
    public uint Value { get; }

    public uint Major => Value >> 22;

    public uint Minor => (Value >> 12) & 0x3ff;

    public uint Patch => Value & 0xfff;

    public static explicit operator Version32(uint val) => new(val);

    public static implicit operator uint(Version32 version) => version.Value;
}
