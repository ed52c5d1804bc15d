using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>A matrix on the device, as shaders/include/weights.glsl reads it.</summary>
/// <param name="Type">Type of the weights.</param>
/// <param name="Rows">Rows, one an output.</param>
/// <param name="Columns">Columns, one an input.</param>
/// <param name="Interleave">Rows that lie together, run by run; 1 where each lies alone.</param>
/// <param name="Weights">Device address of quads of 16 bytes: [Rows / Interleave][<see cref="Runs"/>][Interleave].</param>
/// <param name="Scales">Device address of words of two f16 scales, one a block of 32: [Rows / Interleave][Columns / 64][Interleave]; 0 where the type has none.</param>
/// <param name="Bias">Device address of the bias that is added to the product, f32 [Rows]; 0 where there is none.</param>
public readonly record struct DeviceMatrix(GgmlType Type, int Rows, int Columns, int Interleave, ulong Weights, ulong Scales, ulong Bias = 0)
{
    /// <summary>Quads a row: each holds a run of weights; padded with zeros to a multiple of 64 columns.</summary>
    public int Runs => RunsOf(Type, Columns);

    /// <summary>Bytes of all rows, scales and padding to 64 columns included: what a product reads.</summary>
    public ulong Bytes => (ulong)Rows * (ulong)(WeightPacker.RowBytes(Type, Columns) + WeightPacker.RowScaleBytes(Type, Columns));

    /// <summary>Some of the rows, of whole groups of <see cref="Interleave"/> but for the last.</summary>
    internal DeviceMatrix Slice(int first, int rows) => this with
    {
        Rows = rows,
        Weights = Weights + ((ulong)first * (ulong)WeightPacker.RowBytes(Type, Columns)),
        Scales = Scales + ((ulong)first * (ulong)WeightPacker.RowScaleBytes(Type, Columns)),
        Bias = Bias == 0 ? 0 : Bias + ((ulong)first * sizeof(float)),
    };

    /// <summary>Weights in a 16-byte quad.</summary>
    public static int RunLength(GgmlType type) => type switch
    {
        GgmlType.F32 => 4,
        GgmlType.F16 or GgmlType.BF16 => 8,
        GgmlType.Q8_0 => 16,
        GgmlType.Q4_0 or GgmlType.IQ4_NL => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that the kernels read"),
    };

    /// <summary>Quads in a row of <paramref name="columns"/> weights, padding included.</summary>
    public static int RunsOf(GgmlType type, int columns) => WeightStore.PaddedLength(columns) / RunLength(type);

    /// <summary>Rows that a lane of <c>matvec_lane</c> takes at once, those of both halves of a gated unit together.</summary>
    public const int LaneRows = 4;

    /// <summary>
    /// Rows to interleave on a device: a tile's worth where a processor's driver gives each lane rows of its own, for which
    /// it needs subgroup broadcasts and 64-bit loads; 1 elsewhere.
    /// </summary>
    public static int InterleaveFor(DeviceCapabilities capabilities) =>
        capabilities is { Kind: DeviceKind.Cpu, SubgroupBroadcast: true, Int64: true, SubgroupSize: >= 4 and <= 16 } ? LaneRows * (int)capabilities.SubgroupSize : 1;
}
