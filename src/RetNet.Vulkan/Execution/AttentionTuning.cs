using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>Sizes of the attention that retention is measured against, which change speed and not results.</summary>
/// <param name="Threads">Threads of a workgroup, whole groups of up to 16.</param>
/// <param name="Workgroups">Workgroups that keep the device busy: heads are split until there are as many.</param>
internal readonly record struct AttentionTuning(uint Threads, int Workgroups)
{
    /// <summary>Workgroups of a head at most: <c>MOST_SPLITS</c> of shaders/attention/attention_combine.comp.</summary>
    private const int MostSplits = 64;

    /// <summary>Positions of a workgroup at least: two rounds of 128 threads at heads of 128.</summary>
    private const int LeastPositions = 64;

    public static AttentionTuning For(DeviceCapabilities capabilities) => capabilities.Kind == DeviceKind.Cpu ? new(32, 16) : new(128, 2048);

    /// <summary>Workgroups that share a head of a sequence.</summary>
    public int Splits(int heads, int sequences, long context)
    {
        var wanted = (Workgroups + heads * sequences - 1) / (heads * sequences);
        return (int)Math.Clamp(Math.Min(wanted, context / LeastPositions), 1, MostSplits);
    }
}
