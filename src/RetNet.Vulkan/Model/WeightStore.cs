using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>
/// Weights on their way to the device: first every matrix and vector is given a place, then memory is taken in as few
/// buffers as the device's largest allocation allows, then everything is filled.
/// </summary>
internal sealed unsafe class WeightStore : IDisposable
{
    private const ulong Alignment = 256;
    private const ulong BufferBytes = 1UL << 30;
    private const int VectorMultiple = 64;

    private readonly IWeightSource _source;
    private readonly GpuDevice _device;
    private readonly List<Action<Uploader>> _fills = [];
    private readonly List<ulong> _sizes = [];
    private readonly List<GpuBuffer> _buffers = [];

    /// <param name="source">Where the weights come from; the store's owner's.</param>
    /// <param name="device">Where they go.</param>
    public WeightStore(IWeightSource source, GpuDevice device) => (_source, _device) = (source, device);

    /// <summary>A place in one of the buffers, which exist only after <see cref="Fill"/>.</summary>
    private readonly record struct Place(int Buffer, ulong Offset);

    /// <summary>Bytes of all buffers.</summary>
    public ulong Bytes => _sizes.Aggregate(0UL, (sum, size) => sum + size);

    /// <summary>Floats a vector of <paramref name="length"/> takes, padding included.</summary>
    public static int PaddedLength(int length) => (length + VectorMultiple - 1) / VectorMultiple * VectorMultiple;

    /// <summary>Places the rows of several tensors of one type and width, one after the other, as one matrix.</summary>
    public Func<DeviceMatrix> AddMatrix(params ReadOnlySpan<string> names) => AddMatrix(1, names);

    /// <summary>Places the two matrices of a gated unit as one; where rows are interleaved, half of a group comes from each.</summary>
    public Func<DeviceMatrix> AddGatedUnit(string gate, string up) => AddMatrix(2, gate, up);

    private Func<DeviceMatrix> AddMatrix(int halves, params ReadOnlySpan<string> names)
    {
        var matrices = names.ToArray().Select(name => _source.Matrix(TensorNames.Weight(name))).ToArray();
        var (type, columns) = (matrices[0].Type, matrices[0].Columns);
        if (Array.Find(matrices, matrix => matrix.Type != type) is { Name: not null } other)
            throw new ModelException($"{_source.Name}: '{matrices[0].Name}' is {BlockType.Of(type).Name} and '{other.Name}' is {BlockType.Of(other.Type).Name}; matrices that share an input must share a type. Convert the model again.");
        var layout = new RowLayout(matrices.Sum(matrix => matrix.Rows), DeviceMatrix.InterleaveFor(_device.Capabilities), halves);
        var bias = AddBias(names.ToArray(), matrices);
        var rows = (ulong)layout.Groups * (ulong)layout.Interleave;
        var weights = Reserve(rows * (ulong)WeightPacker.RowBytes(type, columns));
        Place? scales = BlockType.Of(type).IsQuantized ? Reserve(rows * (ulong)WeightPacker.RowScaleBytes(type, columns)) : null;
        _fills.Add(uploader => _source.Fill(uploader, matrices, layout, Part(weights), scales is { } place ? Part(place) : null));
        return () => new DeviceMatrix(type, layout.Rows, columns, layout.Interleave, Part(weights).Address, scales is { } place ? Part(place).Address : 0, bias?.Invoke() ?? 0);
    }

    /// <summary>Places a norm of the model's kind, or a LayerNorm wherever there is a bias: syncdoth's FFN has one among RMS norms.</summary>
    public Func<DeviceNorm> AddNorm(string name, int length, NormType type)
    {
        var weight = AddVector(TensorNames.Weight(name), length, absent: 1);
        var bias = AddVector(TensorNames.Bias(name), length, absent: 0);
        var subtractMean = type == NormType.Layer || Has(TensorNames.Bias(name));
        return () => new DeviceNorm(weight(), bias(), subtractMean);
    }

    /// <summary>Places a vector, padded with zeros; <paramref name="length"/> times <paramref name="absent"/> where there is no such tensor.</summary>
    public Func<ulong> AddVector(string tensorName, int length, float absent)
    {
        var padded = new float[PaddedLength(length)];
        ReadVector(tensorName, padded.AsSpan(0, length), absent);
        return AddValues<float>(padded);
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Has(string tensorName) => _source.Has(tensorName);

    /// <summary>Places values that the host has.</summary>
    public Func<ulong> AddValues<T>(T[] values)
        where T : unmanaged
    {
        var bytes = (ulong)values.Length * (ulong)sizeof(T);
        var place = Reserve(bytes);
        _fills.Add(uploader => uploader.Write(_buffers[place.Buffer], place.Offset, bytes, 4, (target, start, length) =>
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).Slice((int)start, (int)length).CopyTo(new Span<byte>((void*)target, (int)length))));
        return () => Part(place).Address;
    }

    /// <summary>Takes the memory and fills it.</summary>
    /// <param name="progress">Told the share that has been filled, 0 to 1.</param>
    public void Fill(IProgress<double>? progress)
    {
        for (var i = 0; i < _sizes.Count; i++)
            _buffers.Add(_device.Allocate($"weights {i}", _sizes[i]));
        using var uploader = new Uploader(_device);
        for (var i = 0; i < _fills.Count; i++)
        {
            _fills[i](uploader);
            progress?.Report((i + 1.0) / _fills.Count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());

    private Func<ulong>? AddBias(string[] names, SourceMatrix[] matrices)
    {
        if (!names.Any(name => Has(TensorNames.Bias(name))))
            return null;
        var bias = new float[matrices.Sum(matrix => matrix.Rows)];
        for (var (i, start) = (0, 0); i < names.Length; start += matrices[i++].Rows)
            ReadVector(TensorNames.Bias(names[i]), bias.AsSpan(start, matrices[i].Rows), absent: 0);
        return AddValues<float>(bias);
    }

    private void ReadVector(string tensorName, Span<float> values, float absent)
    {
        if (!_source.TryReadVector(tensorName, values))
            values.Fill(absent);
    }

    private BufferPart Part(Place place) => new(_buffers[place.Buffer], place.Offset);

    private Place Reserve(ulong bytes)
    {
        var size = (bytes + Alignment - 1) / Alignment * Alignment;
        if (_sizes.Count == 0 || _sizes[^1] + size > Math.Min(BufferBytes, _device.Capabilities.MaxAllocationBytes))
            _sizes.Add(0);
        var place = new Place(_sizes.Count - 1, _sizes[^1]);
        _sizes[^1] += size;
        return place;
    }
}
