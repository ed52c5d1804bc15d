using System.Diagnostics.CodeAnalysis;

namespace RetNet.Vulkan.Gguf;

/// <summary>Element types of a tensor, with ggml's numbers (ggml.h, <c>enum ggml_type</c>); those that this library reads and writes.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "ggml's own names.")]
[SuppressMessage("Design", "CA1028", Justification = "The file stores the type as uint32.")]
public enum GgmlType : uint
{
    /// <summary>IEEE 754 binary32.</summary>
    F32 = 0,

    /// <summary>IEEE 754 binary16.</summary>
    F16 = 1,

    /// <summary>Blocks of 32: one binary16 scale and 32 four-bit integers, (q − 8) · d.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32: one binary16 scale and 32 signed bytes, q · d.</summary>
    Q8_0 = 8,

    /// <summary>Blocks of 32: one binary16 scale and 32 four-bit indices into a codebook, c[q] · d.</summary>
    IQ4_NL = 20,

    /// <summary>The upper 16 bits of a binary32.</summary>
    BF16 = 30,
}
