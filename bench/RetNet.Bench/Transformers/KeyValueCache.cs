using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench.Transformers;

/// <summary>Rotated keys, and values, of all positions: for each layer two buffers [sequence][head][capacity][head size] of f16 on the device.</summary>
internal sealed class KeyValueCache : IDisposable
{
    /// <summary>What one fill reaches.</summary>
    private const ulong MostBytes = 1UL << 33;

    private readonly List<GpuBuffer> _keys = [];
    private readonly List<GpuBuffer> _values = [];

    /// <summary>Takes the memory; its contents are undefined.</summary>
    /// <exception cref="GpuException">A layer's keys are more than the device, or 8 GiB, hold in one piece.</exception>
    public KeyValueCache(GpuDevice device, RetNetConfig config, int sequences, long capacity)
    {
        var bytes = LayerBytes(config, sequences, capacity) / 2;
        if (bytes > MostBytes)
            throw new GpuException($"a layer's keys take {MemoryPlan.Size(bytes)}; {MemoryPlan.Size(MostBytes)} are held in one piece");
        try
        {
            for (var layer = 0; layer < config.Layers; layer++)
            {
                _keys.Add(device.Allocate("keys", bytes));
                _values.Add(device.Allocate("values", bytes));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of all layers.</summary>
    public static ulong BytesOf(RetNetConfig config, int sequences, long capacity) => (ulong)config.Layers * LayerBytes(config, sequences, capacity);

    public ulong Keys(int layer) => _keys[layer].Address;

    public ulong Values(int layer) => _values[layer].Address;

    /// <summary>Fills it with ±[0.5, 1), about what projections of a normalised input are.</summary>
    public void FillRandom(GpuDevice device, uint seed)
    {
        using var filler = new RandomFiller(device);
        foreach (var buffer in _keys.Concat(_values))
            filler.Fill(buffer.Address, buffer.Bytes, RandomFormat.F16(-1), seed++);
    }

    /// <summary>Copies the keys of a layer to the host, for tests.</summary>
    public Half[] ReadKeys(GpuDevice device, int layer) => Read(device, _keys[layer]);

    /// <summary>Copies the values of a layer to the host, for tests.</summary>
    public Half[] ReadValues(GpuDevice device, int layer) => Read(device, _values[layer]);

    public void Dispose()
    {
        foreach (var buffer in _keys.Concat(_values))
            buffer.Dispose();
    }

    private static ulong LayerBytes(RetNetConfig config, int sequences, long capacity) => checked(4 * (ulong)sequences * (ulong)config.KeyWidth * (ulong)capacity);

    private static Half[] Read(GpuDevice device, GpuBuffer buffer)
    {
        var values = new Half[buffer.Bytes / 2];
        device.Read(buffer, 0, values.AsSpan());
        return values;
    }
}
