using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>Rows in dispatches that a device allows: many allow 65535 workgroups.</summary>
internal static class RowBlocks
{
    /// <summary>The first row and the rows of each dispatch.</summary>
    /// <param name="device">The device.</param>
    /// <param name="rows">Rows of all.</param>
    /// <param name="workgroups">Workgroups of a row.</param>
    public static IEnumerable<(int First, uint Count)> Of(GpuDevice device, int rows, int workgroups = 1)
    {
        var most = (int)Math.Min(device.Capabilities.WorkgroupCount / (uint)workgroups, int.MaxValue);
        for (var first = 0; first < rows; first += most)
            yield return (first, (uint)Math.Min(most, rows - first));
    }
}
