using System.Diagnostics.CodeAnalysis;

namespace RetNet.Vulkan.Gguf;

/// <summary>Types of metadata values, with GGUF's numbers (ggml docs/gguf.md, <c>gguf_metadata_value_type</c>).</summary>
[SuppressMessage("Design", "CA1028", Justification = "The file stores the type as uint32.")]
public enum GgufValueType : uint
{
    /// <summary>8-bit unsigned integer.</summary>
    UInt8 = 0,

    /// <summary>8-bit signed integer.</summary>
    Int8 = 1,

    /// <summary>16-bit unsigned integer.</summary>
    UInt16 = 2,

    /// <summary>16-bit signed integer.</summary>
    Int16 = 3,

    /// <summary>32-bit unsigned integer.</summary>
    UInt32 = 4,

    /// <summary>32-bit signed integer.</summary>
    Int32 = 5,

    /// <summary>binary32.</summary>
    Float32 = 6,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 7,

    /// <summary>UTF-8 with a 64-bit length.</summary>
    String = 8,

    /// <summary>Values of one type with a 64-bit count.</summary>
    Array = 9,

    /// <summary>64-bit unsigned integer.</summary>
    UInt64 = 10,

    /// <summary>64-bit signed integer.</summary>
    Int64 = 11,

    /// <summary>binary64.</summary>
    Float64 = 12,
}
