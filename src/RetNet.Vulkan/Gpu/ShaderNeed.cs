using System.Globalization;
using System.Runtime.InteropServices;

namespace RetNet.Vulkan.Gpu;

/// <summary>Something that a kernel variant uses beyond what every kernel needs (<see cref="DeviceCapabilities.MissingRequirement"/>).</summary>
public sealed class ShaderNeed
{
    private const int HeaderWords = 5;
    private const uint OpCapability = 17;

    /// <summary>SPIR-V capabilities that every device has which runs the kernels: Shader, Matrix, GroupNonUniform, its votes and arithmetic, device addresses.</summary>
    private static readonly uint[] Base = [0, 1, 61, 62, 63, 5347];

    /// <summary>Tensor addressing and block loads, which are usable together with workgroup scope or not at all.</summary>
    private static readonly ShaderNeed WorkgroupMatrices = new("cooperative matrices of workgroups", can => can.WorkgroupMatrices is not null);

    /// <summary>SPIR-V's numbers (SPIR-V specification, §3.31) and what they are to a device.</summary>
    private static readonly Dictionary<uint, ShaderNeed> Known = new()
    {
        [9] = new("16-bit floats", can => can.Float16),
        [11] = new("64-bit integers", can => can.Int64),
        [22] = new("16-bit integers", can => can.Int16),
        [39] = new("8-bit integers", can => can.Int8),
        [64] = new("subgroup broadcast", can => can.SubgroupBroadcast),
        [4433] = new("16-bit storage", can => can.Storage16Bit),
        [4448] = new("8-bit storage", can => can.Storage8Bit),
        [6019] = new("integer dot products", can => can.IntegerDotProduct),
        [5345] = new("the Vulkan memory model", can => can.MemoryModel),
        [5346] = new("the Vulkan memory model across workgroups", can => can.MemoryModelDeviceScope),
        [5430] = new("cooperative matrix reductions", can => can.WorkgroupMatrices is { Reductions: true }),
        [5431] = new("cooperative matrix conversions", can => can.WorkgroupMatrices is { Conversions: true }),
        [5432] = new("cooperative matrix per-element operations", can => can.WorkgroupMatrices is { PerElementOperations: true }),
        [5433] = WorkgroupMatrices,
        [5434] = WorkgroupMatrices,
        [5439] = WorkgroupMatrices,
        [6022] = new("cooperative matrices of f16", can => can.MatrixShapes.Count > 0),
    };

    private static readonly ShaderNeed SmallSubgroups = new("subgroups of 4 to 16", can => can.SubgroupSize is >= 4 and <= 16);

    private readonly Func<DeviceCapabilities, bool> _met;

    private ShaderNeed(string words, Func<DeviceCapabilities, bool> met) => (Words, _met) = (words, met);

    /// <summary>What it is, for people: <c>64-bit integers</c>.</summary>
    public string Words { get; }

    /// <summary>What a variant needs: what its SPIR-V says, and of the kernels for processors small subgroups.</summary>
    public static IReadOnlyList<ShaderNeed> Of(string variant)
    {
        var needs = In(ShaderLibrary.Load(variant));
        // Lanes that own rows each hold their share of 64 inputs in registers.
        return variant.Contains("_lane", StringComparison.Ordinal) ? [.. needs, SmallSubgroups] : needs;
    }

    /// <summary>What a module declares.</summary>
    internal static List<ShaderNeed> In(ReadOnlySpan<byte> spirv)
    {
        var needs = new List<ShaderNeed>();
        var words = MemoryMarshal.Cast<byte, uint>(spirv)[HeaderWords..];
        // Capabilities come first in a module.
        for (; (words[0] & 0xFFFF) == OpCapability; words = words[(int)(words[0] >> 16)..])
            if (!Base.Contains(words[1]) && (Known.GetValueOrDefault(words[1]) ?? Unknown(words[1])) is var need && !needs.Contains(need))
                needs.Add(need);
        return needs;
    }

    /// <summary>Whether a device has it.</summary>
    public bool IsMetBy(DeviceCapabilities capabilities) => _met(capabilities);

    /// <inheritdoc/>
    public override string ToString() => Words;

    private static ShaderNeed Unknown(uint capability) => new(string.Create(CultureInfo.InvariantCulture, $"SPIR-V capability {capability}"), _ => false);
}
