namespace RetNet.Vulkan.Gguf;

/// <summary>Constants of the format.</summary>
internal static class GgufFormat
{
    public const int DefaultAlignment = 32;
    public const string AlignmentKey = "general.alignment";
    public const int MostDimensions = 4;
    public const uint Version = 3;

    /// <summary>The bytes <c>GGUF</c>.</summary>
    public static ReadOnlySpan<byte> Magic => "GGUF"u8;

    /// <summary>The next multiple of <paramref name="alignment"/>, a power of two.</summary>
    public static long Align(long offset, int alignment) => checked(offset + alignment - 1) & -alignment;

    /// <summary>Names of the types in ggml.h that this library does not read, for messages.</summary>
    public static string? ForeignTypeName(uint type) => type switch
    {
        3 => "q4_1",
        6 => "q5_0",
        7 => "q5_1",
        9 => "q8_1",
        10 => "q2_K",
        11 => "q3_K",
        12 => "q4_K",
        13 => "q5_K",
        14 => "q6_K",
        15 => "q8_K",
        16 => "iq2_xxs",
        17 => "iq2_xs",
        18 => "iq3_xxs",
        19 => "iq1_s",
        21 => "iq3_s",
        22 => "iq2_s",
        23 => "iq4_xs",
        24 => "i8",
        25 => "i16",
        26 => "i32",
        27 => "i64",
        28 => "f64",
        29 => "iq1_m",
        34 => "tq1_0",
        35 => "tq2_0",
        39 => "mxfp4",
        _ => null,
    };
}
