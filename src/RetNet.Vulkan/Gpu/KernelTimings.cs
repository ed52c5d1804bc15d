using Silk.NET.Vulkan;

namespace RetNet.Vulkan.Gpu;

/// <summary>GPU time by kernel: a timestamp after every dispatch of one recording. Read it after each run of that recording.</summary>
public sealed unsafe class KernelTimings : IDisposable
{
    private const uint Capacity = 4096;
    private readonly GpuDevice _device;
    private readonly QueryPool _pool;
    private readonly List<string> _names = [];
    private readonly Dictionary<string, (long Count, double Seconds)> _totals = [];

    /// <summary>Creates the query pool.</summary>
    /// <exception cref="GpuException">The device's compute queue has no timestamps.</exception>
    public KernelTimings(GpuDevice device)
    {
        if (device.Capabilities.TimestampPeriod == 0)
            throw new GpuException($"{device.Gpu.Name} has no timestamps on its compute queue.");
        _device = device;
        var info = new QueryPoolCreateInfo { SType = StructureType.QueryPoolCreateInfo, QueryType = QueryType.Timestamp, QueryCount = Capacity };
        QueryPool pool;
        device.Vk.CreateQueryPool(device.Handle, &info, null, &pool).ThrowOnError("vkCreateQueryPool");
        _pool = pool;
    }

    /// <summary>Dispatches and GPU seconds by kernel, over all runs read so far.</summary>
    public IReadOnlyDictionary<string, (long Count, double Seconds)> Totals => _totals;

    /// <summary>Adds the times of the run that has just finished.</summary>
    public void Read()
    {
        var ticks = new ulong[_names.Count + 1];
        fixed (ulong* first = ticks)
            _device.Vk.GetQueryPoolResults(_device.Handle, _pool, 0, (uint)ticks.Length, (nuint)ticks.Length * sizeof(ulong), first, sizeof(ulong), QueryResultFlags.Result64Bit | QueryResultFlags.ResultWaitBit)
                .ThrowOnError("vkGetQueryPoolResults");
        for (var i = 0; i < _names.Count; i++)
        {
            var (count, seconds) = _totals.GetValueOrDefault(_names[i]);
            _totals[_names[i]] = (count + 1, seconds + (ticks[i + 1] - ticks[i]) * (double)_device.Capabilities.TimestampPeriod * 1e-9);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Vk.DestroyQueryPool(_device.Handle, _pool, null);

    internal void Begin(CommandBuffer commands)
    {
        _names.Clear();
        _device.Vk.CmdResetQueryPool(commands, _pool, 0, Capacity);
        Stamp(commands);
    }

    internal void Mark(CommandBuffer commands, string name)
    {
        if (_names.Count + 1 >= Capacity)
            throw new InvalidOperationException($"More than {Capacity - 1} dispatches in one timed recording.");
        _names.Add(name);
        Stamp(commands);
    }

    private void Stamp(CommandBuffer commands) =>
        _device.Vk.CmdWriteTimestamp(commands, PipelineStageFlags.BottomOfPipeBit, _pool, (uint)_names.Count);
}
