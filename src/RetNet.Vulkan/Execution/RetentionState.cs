using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// What a RetNet remembers of its sequences: S = Σ γⁿ⁻ᵐ·k̂_m·v_mᵀ of every layer and head, un-normalised, keys rotated by their
/// absolute position. A buffer [sequence][head][dk][⌈dv/4⌉·4] on the device for each layer, in f32 or f16 (<see cref="StateType"/>); its
/// size does not depend on the sequences' lengths, and every mode reads and writes it alike.
/// </summary>
public sealed class RetentionState : IDisposable
{
    private readonly RetNetConfig _config;
    private readonly GpuDevice _device;
    private readonly GpuBuffer[] _layers;
    private readonly long[] _positions;

    internal RetentionState(GpuDevice device, RetNetConfig config, StateType type, int sequences = 1)
    {
        (_device, _config, Type, _positions) = (device, config, type, new long[sequences]);
        _layers = new GpuBuffer[config.Layers];
        for (var layer = 0; layer < config.Layers; layer++)
            _layers[layer] = device.Allocate("retention state", (ulong)sequences * LayerBytes(config, type));
    }

    /// <summary>How the device keeps it.</summary>
    public StateType Type { get; }

    /// <summary>Tokens that each sequence has taken in.</summary>
    public IReadOnlyList<long> Positions => _positions;

    /// <summary>Vectors of four value columns from one sequence to the next.</summary>
    internal uint SlotVectors => (uint)(LayerBytes(_config, Type) / VectorBytes(Type));

    /// <summary>Groups of four value columns a row of the state has.</summary>
    internal static int VectorsOf(RetNetConfig config) => (config.ValueSize + 3) / 4;

    /// <summary>Bytes of one sequence's state.</summary>
    internal static ulong BytesOf(RetNetConfig config, StateType type) => (ulong)config.Layers * LayerBytes(config, type);

    /// <summary>Bytes of one layer of it.</summary>
    internal static ulong LayerBytes(RetNetConfig config, StateType type) =>
        (ulong)config.Heads * (ulong)config.KeySize * (ulong)VectorsOf(config) * VectorBytes(type);

    internal ulong LayerAddress(int layer) => _layers[layer].Address;

    /// <summary>Forgets all sequences.</summary>
    internal void Clear()
    {
        _device.Run("clear state", recorder => Array.ForEach(_layers, layer => recorder.Fill(layer)));
        Array.Clear(_positions);
    }

    /// <summary>Fills the states of all sequences with random values of sensible size: what they hold changes no speed.</summary>
    internal void FillRandom(uint seed)
    {
        using var filler = new RandomFiller(_device);
        foreach (var layer in _layers)
            filler.Fill(layer.Address, layer.Bytes, Type == StateType.F16 ? RandomFormat.F16(-3) : RandomFormat.F32(-1), seed++);
    }

    /// <summary>Forgets some sequences.</summary>
    internal void Clear(IReadOnlyList<int> sequences)
    {
        var bytes = LayerBytes(_config, Type);
        _device.Run("clear states", recorder =>
        {
            foreach (var sequence in sequences)
                foreach (var layer in _layers)
                    recorder.Fill(layer, (ulong)sequence * bytes, bytes, 0);
        });
        foreach (var sequence in sequences)
            _positions[sequence] = 0;
    }

    /// <summary>Says that a sequence has taken in so many tokens.</summary>
    internal void SetPosition(int sequence, long position) => _positions[sequence] = position;

    /// <summary>Copies a layer of a sequence's state to the host: S, un-normalised, [head][dk][dv], without padding.</summary>
    public float[] Read(int layer, int sequence = 0)
    {
        var data = new float[Rows * PaddedWidth];
        if (Type == StateType.F32)
            _device.Read(_layers[layer], Offset(layer, sequence), data.AsSpan());
        else
            ReadHalves(layer, sequence, data);
        var result = new float[Rows * _config.ValueSize];
        for (var row = 0; row < Rows; row++)
            data.AsSpan(row * PaddedWidth, _config.ValueSize).CopyTo(result.AsSpan(row * _config.ValueSize));
        return result;
    }

    /// <summary>Replaces a layer of a sequence's state by what <see cref="Read"/> gave at the same position.</summary>
    public void Write(int layer, ReadOnlySpan<float> values, int sequence = 0)
    {
        if (values.Length != Rows * _config.ValueSize)
            throw new ArgumentException($"a layer's state has {Rows * _config.ValueSize} values; {values.Length} were given");
        var data = new float[Rows * PaddedWidth];
        for (var row = 0; row < Rows; row++)
            values.Slice(row * _config.ValueSize, _config.ValueSize).CopyTo(data.AsSpan(row * PaddedWidth));
        if (Type == StateType.F32)
            _device.Write<float>(_layers[layer], Offset(layer, sequence), data);
        else
            _device.Write<Half>(_layers[layer], Offset(layer, sequence), [.. data.Select((value, i) => (Half)(value / Scale(sequence, i)))]);
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_layers, layer => layer?.Dispose());

    private static ulong VectorBytes(StateType type) => type == StateType.F16 ? 8u : 16u;

    private int Rows => _config.Heads * _config.KeySize;

    private int PaddedWidth => VectorsOf(_config) * 4;

    private void ReadHalves(int layer, int sequence, float[] data)
    {
        var halves = new Half[data.Length];
        _device.Read(_layers[layer], Offset(layer, sequence), halves.AsSpan());
        for (var i = 0; i < data.Length; i++)
            data[i] = (float)halves[i] * Scale(sequence, i);
    }

    /// <summary>√S_n of the head that element i of a layer belongs to.</summary>
    private float Scale(int sequence, int i)
    {
        var terms = _positions[sequence];
        double gamma = _config.Decay[i / (_config.KeySize * PaddedWidth)];
        return terms == 0 ? 1 : (float)Math.Sqrt(DecaySum.Of(gamma, terms - 1));
    }

    private ulong Offset(int layer, int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, _config.Layers);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, _positions.Length);
        return (ulong)sequence * LayerBytes(_config, Type);
    }
}
