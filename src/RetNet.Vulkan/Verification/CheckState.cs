using System.Runtime.InteropServices;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>How a device keeps states, for checks: S as it is in f32, or S/√S_n in f16.</summary>
/// <param name="type">The type.</param>
/// <param name="decay">γ of each head.</param>
/// <param name="headLength">Elements of a head.</param>
internal sealed class CheckState(StateType type, float[] decay, int headLength)
{
    /// <summary>Results in f16 are as near as its last place, which a random bit decides.</summary>
    private const double HalfSlack = 350;

    /// <summary>How many times further than elsewhere a state may be off.</summary>
    public double Slack => type == StateType.F16 ? HalfSlack : 1;

    /// <summary>The type that a variant is for.</summary>
    public static StateType TypeOf(string variant) => variant.Contains("_f16", StringComparison.Ordinal) ? StateType.F16 : StateType.F32;

    /// <summary>What the device is given for stored values.</summary>
    public byte[] Encode(float[] stored) => type == StateType.F32
        ? MemoryMarshal.AsBytes(stored.AsSpan()).ToArray()
        : MemoryMarshal.AsBytes(stored.Select(value => (Half)value).ToArray().AsSpan()).ToArray();

    /// <summary>S of what the device has, after so many tokens.</summary>
    public double[] Decode(byte[] stored, long terms) => type == StateType.F32
        ? [.. MemoryMarshal.Cast<byte, float>(stored).ToArray().Select(value => (double)value)]
        : [.. MemoryMarshal.Cast<byte, Half>(stored).ToArray().Select((value, i) => (double)value * Scale(i / headLength, terms))];

    private double Scale(int head, long terms) => terms == 0 ? 1 : Math.Sqrt(DecaySum.Of(decay[head], terms - 1));
}
