namespace RetNet.Vulkan.Gpu;

/// <summary>What a model will take of the device's memory, added up before anything is allocated.</summary>
public sealed class MemoryPlan
{
    private readonly List<(string Name, ulong Bytes)> _parts = [];

    /// <summary>All parts together, in bytes.</summary>
    public ulong Bytes { get; private set; }

    /// <summary>The parts in the order they were added.</summary>
    public IReadOnlyList<(string Name, ulong Bytes)> Parts => _parts;

    /// <summary>Adds a part, e.g. <c>weights</c>.</summary>
    /// <returns>This plan.</returns>
    public MemoryPlan Add(string name, ulong bytes)
    {
        _parts.Add((name, bytes));
        Bytes = checked(Bytes + bytes);
        return this;
    }

    /// <summary>Refuses what does not fit the device, with the numbers.</summary>
    /// <param name="device">The device.</param>
    /// <param name="what">What it is that does not fit.</param>
    /// <param name="advice">What to do about it.</param>
    /// <exception cref="GpuException">More is needed than the device has left.</exception>
    public void EnsureFits(GpuDevice device, string what = "The model", string advice = "Convert it to a smaller type (q8_0, iq4_nl) or choose another device.")
    {
        var available = device.AvailableBytes;
        if (Bytes <= available)
            return;
        throw new GpuException($"{what} does not fit {device.Gpu.Name}: it needs {this} and {Size(available)} are available. {advice}");
    }

    /// <summary>All parts together and each, for people.</summary>
    public override string ToString() => $"{Size(Bytes)} ({string.Join(" + ", _parts.Select(part => $"{part.Name} {Size(part.Bytes)}"))})";

    /// <summary>A byte count for people, in binary units.</summary>
    public static string Size(ulong bytes) => bytes switch
    {
        < 1UL << 10 => FormattableString.Invariant($"{bytes} B"),
        < 1UL << 20 => FormattableString.Invariant($"{bytes / 1024.0:F1} KiB"),
        < 1UL << 30 => FormattableString.Invariant($"{bytes / 1048576.0:F1} MiB"),
        _ => FormattableString.Invariant($"{bytes / 1073741824.0:F1} GiB"),
    };
}
