using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What a RetNet remembers of a sequence: S = Σ γⁿ⁻ᵐ·k̂_m·v_mᵀ of every layer and head, un-normalised, keys rotated by their
/// absolute position. f32 [layer][head][dk][⌈dv/4⌉·4] on the device; its size does not depend on the sequence's length.
/// </summary>
public sealed class RetentionState : IDisposable
{
    private readonly RetNetConfig _config;
    private readonly GpuDevice _device;
    private readonly GpuBuffer _buffer;

    internal RetentionState(GpuDevice device, RetNetConfig config)
    {
        (_device, _config) = (device, config);
        _buffer = device.Allocate("retention state", BytesOf(config));
    }

    /// <summary>Groups of four value columns a row of the state has.</summary>
    internal static int VectorsOf(RetNetConfig config) => (config.ValueSize + 3) / 4;

    internal static ulong BytesOf(RetNetConfig config) => (ulong)config.Layers * LayerBytes(config);

    internal ulong LayerAddress(int layer) => _buffer.Address + (ulong)layer * LayerBytes(_config);

    internal void Clear(Recorder recorder) => recorder.Fill(_buffer);

    /// <summary>Copies a layer's state to the host: [head][dk][dv], without padding.</summary>
    public float[] Read(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, _config.Layers);
        var rows = _config.Heads * _config.KeySize;
        var (width, padded) = (_config.ValueSize, VectorsOf(_config) * 4);
        var data = new float[rows * padded];
        _device.Read(_buffer, (ulong)layer * LayerBytes(_config), data.AsSpan());
        var result = new float[rows * width];
        for (var row = 0; row < rows; row++)
            data.AsSpan(row * padded, width).CopyTo(result.AsSpan(row * width));
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private static ulong LayerBytes(RetNetConfig config) => (ulong)config.Heads * (ulong)config.KeySize * (ulong)VectorsOf(config) * 16;
}
