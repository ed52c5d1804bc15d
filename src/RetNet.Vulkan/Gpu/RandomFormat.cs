namespace RetNet.Vulkan.Gpu;

/// <summary>What random words look like: random where <paramref name="Mask"/> has bits, <paramref name="Pattern"/> elsewhere.</summary>
/// <param name="Mask">Random bits.</param>
/// <param name="Pattern">Fixed bits.</param>
internal readonly record struct RandomFormat(uint Mask, uint Pattern)
{
    /// <summary>Every bit random: quants.</summary>
    public static RandomFormat Bits { get; } = new(uint.MaxValue, 0);

    /// <summary>f32, ±2^<paramref name="exponent"/>·[1, 2).</summary>
    public static RandomFormat F32(int exponent) => new(0x807F_FFFF, (uint)(exponent + 127) << 23);

    /// <summary>Two f16, ±2^<paramref name="exponent"/>·[1, 2) each; exponents from −14 to 15.</summary>
    public static RandomFormat F16(int exponent) => new(0x83FF_83FF, (uint)(exponent + 15) << 10 | (uint)(exponent + 15) << 26);

    /// <summary>Two bf16, ±2^<paramref name="exponent"/>·[1, 2) each.</summary>
    public static RandomFormat BF16(int exponent) => new(0x807F_807F, (uint)(exponent + 127) << 7 | (uint)(exponent + 127) << 23);
}
