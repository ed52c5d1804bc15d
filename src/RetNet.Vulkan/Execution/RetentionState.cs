using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What a RetNet remembers of its sequences: S = Σ γⁿ⁻ᵐ·k̂_m·v_mᵀ of every layer and head, un-normalised, keys rotated by their
/// absolute position. f32 [sequence][layer][head][dk][⌈dv/4⌉·4] on the device; its size does not depend on the sequences'
/// lengths, and every mode reads and writes it alike.
/// </summary>
public sealed class RetentionState : IDisposable
{
    private readonly RetNetConfig _config;
    private readonly GpuDevice _device;
    private readonly GpuBuffer _buffer;

    internal RetentionState(GpuDevice device, RetNetConfig config, int sequences = 1)
    {
        (_device, _config, Sequences) = (device, config, sequences);
        _buffer = device.Allocate("retention state", (ulong)sequences * BytesOf(config));
    }

    /// <summary>Sequences whose state this is.</summary>
    public int Sequences { get; }

    /// <summary>Bytes from one sequence to the next.</summary>
    internal ulong SlotBytes => BytesOf(_config);

    /// <summary>Groups of four value columns a row of the state has.</summary>
    internal static int VectorsOf(RetNetConfig config) => (config.ValueSize + 3) / 4;

    /// <summary>Bytes of one sequence's state.</summary>
    internal static ulong BytesOf(RetNetConfig config) => (ulong)config.Layers * LayerBytes(config);

    /// <summary>Bytes of one layer of it.</summary>
    internal static ulong LayerBytes(RetNetConfig config) => (ulong)config.Heads * (ulong)config.KeySize * (ulong)VectorsOf(config) * 16;

    internal ulong LayerAddress(int layer) => _buffer.Address + (ulong)layer * LayerBytes(_config);

    internal void Clear(Recorder recorder) => recorder.Fill(_buffer);

    /// <summary>Copies a layer of a sequence's state to the host: [head][dk][dv], without padding.</summary>
    public float[] Read(int layer, int sequence = 0)
    {
        var data = new float[Rows * PaddedWidth];
        _device.Read(_buffer, Offset(layer, sequence), data.AsSpan());
        var result = new float[Rows * _config.ValueSize];
        for (var row = 0; row < Rows; row++)
            data.AsSpan(row * PaddedWidth, _config.ValueSize).CopyTo(result.AsSpan(row * _config.ValueSize));
        return result;
    }

    /// <summary>Replaces a layer of a sequence's state by what <see cref="Read"/> gave.</summary>
    public void Write(int layer, ReadOnlySpan<float> values, int sequence = 0)
    {
        if (values.Length != Rows * _config.ValueSize)
            throw new ArgumentException($"a layer's state has {Rows * _config.ValueSize} values; {values.Length} were given");
        var data = new float[Rows * PaddedWidth];
        for (var row = 0; row < Rows; row++)
            values.Slice(row * _config.ValueSize, _config.ValueSize).CopyTo(data.AsSpan(row * PaddedWidth));
        _device.Write<float>(_buffer, Offset(layer, sequence), data);
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private int Rows => _config.Heads * _config.KeySize;

    private int PaddedWidth => VectorsOf(_config) * 4;

    private ulong Offset(int layer, int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, _config.Layers);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, Sequences);
        return (ulong)sequence * SlotBytes + (ulong)layer * LayerBytes(_config);
    }
}
