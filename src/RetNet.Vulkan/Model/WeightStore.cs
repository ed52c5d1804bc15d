using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>
/// Weights on their way to the device: first every matrix and vector is given a place, then memory is taken in as few
/// buffers as the device's largest allocation allows, then everything is uploaded.
/// </summary>
internal sealed unsafe class WeightStore : IDisposable
{
    private const ulong Alignment = 256;
    private const ulong BufferBytes = 1UL << 30;
    private const int VectorMultiple = 64;

    private readonly GgufFile _file;
    private readonly GpuDevice _device;
    private readonly List<Action<Uploader>> _uploads = [];
    private readonly List<ulong> _sizes = [];
    private readonly List<GpuBuffer> _buffers = [];

    public WeightStore(GgufFile file, GpuDevice device) => (_file, _device) = (file, device);

    /// <summary>A place in one of the buffers, which exist only after <see cref="Upload"/>.</summary>
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
        var tensors = names.ToArray().Select(name => _file.GetTensor(TensorNames.Weight(name))).ToArray();
        var type = tensors[0].Type.Type;
        if (tensors.FirstOrDefault(tensor => tensor.Type.Type != type) is { } other)
            throw new ModelException($"{_file.Path}: '{tensors[0].Name}' is {tensors[0].Type.Name} and '{other.Name}' is {other.Type.Name}; matrices that share an input must share a type. Convert the model again.");
        var columns = (int)tensors[0].RowLength;
        var layout = new RowLayout(tensors.Sum(tensor => (int)tensor.Rows), DeviceMatrix.InterleaveFor(_device.Capabilities), halves);
        var bias = AddBias(names.ToArray(), tensors);
        var weights = AddRows(layout, WeightPacker.RowBytes(type, columns), WeightPacker.QuadBytes, WeightPacker.PackWeights);
        var scales = AddRows(layout, WeightPacker.RowScaleBytes(type, columns), WeightPacker.WordBytes, WeightPacker.PackScales);
        return () => new DeviceMatrix(type, layout.Rows, columns, layout.Interleave, Address(weights), BlockType.Of(type).IsQuantized ? Address(scales) : 0, bias?.Invoke() ?? 0);

        // Rows of a group lie part by part: one of each row, then the next of each.
        Place AddRows(RowLayout layout, int rowBytes, int partBytes, PackRow pack)
        {
            var groupBytes = rowBytes * layout.Interleave;
            var place = Reserve((ulong)layout.Groups * (ulong)groupBytes);
            _uploads.Add(uploader => UploadUnits(uploader, place, layout.Groups, groupBytes, (group, target) =>
            {
                target.Clear();
                for (var slot = 0; slot < layout.Interleave; slot++)
                    if (layout.RowAt(group, slot) is { } row)
                        pack(type, Row(tensors, row), target[(slot * partBytes)..], layout.Interleave);
            }));
            return place;
        }
    }

    /// <summary>Places a norm of the model's kind, or a LayerNorm wherever there is a bias: syncdoth's FFN has one among RMS norms.</summary>
    public Func<DeviceNorm> AddNorm(string name, int length, NormType type)
    {
        var weight = AddVector(TensorNames.Weight(name), length, absent: 1);
        var bias = AddVector(TensorNames.Bias(name), length, absent: 0);
        var subtractMean = type == NormType.Layer || Has(TensorNames.Bias(name));
        return () => new DeviceNorm(weight(), bias(), subtractMean);
    }

    /// <summary>Places a vector, padded with zeros; <paramref name="length"/> times <paramref name="absent"/> where the file has no such tensor.</summary>
    public Func<ulong> AddVector(string tensorName, int length, float absent)
    {
        var padded = new float[PaddedLength(length)];
        ReadVector(tensorName, padded.AsSpan(0, length), absent);
        return AddValues<float>(padded);
    }

    /// <summary>Whether the file has a tensor of that name.</summary>
    public bool Has(string tensorName) => _file.TryGetTensor(tensorName, out _);

    /// <summary>Places values that the host has.</summary>
    public Func<ulong> AddValues<T>(T[] values)
        where T : unmanaged
    {
        var bytes = (ulong)values.Length * (ulong)sizeof(T);
        var place = Reserve(bytes);
        _uploads.Add(uploader => uploader.Write(_buffers[place.Buffer], place.Offset, bytes, 4, (target, start, length) =>
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).Slice((int)start, (int)length).CopyTo(new Span<byte>((void*)target, (int)length))));
        return () => Address(place);
    }

    /// <summary>Takes the memory and fills it.</summary>
    /// <param name="progress">Told the share that has been uploaded, 0 to 1.</param>
    public void Upload(IProgress<double>? progress)
    {
        for (var i = 0; i < _sizes.Count; i++)
            _buffers.Add(_device.Allocate($"weights {i}", _sizes[i]));
        using var uploader = new Uploader(_device);
        for (var i = 0; i < _uploads.Count; i++)
        {
            _uploads[i](uploader);
            progress?.Report((i + 1.0) / _uploads.Count);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _buffers.ForEach(buffer => buffer.Dispose());

    private Func<ulong>? AddBias(string[] names, GgufTensor[] tensors)
    {
        if (!names.Any(name => Has(TensorNames.Bias(name))))
            return null;
        var bias = new float[tensors.Sum(tensor => (int)tensor.Rows)];
        for (var (i, start) = (0, 0); i < names.Length; start += (int)tensors[i++].Rows)
            ReadVector(TensorNames.Bias(names[i]), bias.AsSpan(start, (int)tensors[i].Rows), absent: 0);
        return AddValues<float>(bias);
    }

    private void ReadVector(string tensorName, Span<float> values, float absent)
    {
        if (_file.TryGetTensor(tensorName, out var tensor))
            tensor.Type.Dequantize(_file.Row(tensor, 0), values);
        else
            values.Fill(absent);
    }

    private ulong Address(Place place) => _buffers[place.Buffer].Address + place.Offset;

    private Place Reserve(ulong bytes)
    {
        var size = (bytes + Alignment - 1) / Alignment * Alignment;
        if (_sizes.Count == 0 || _sizes[^1] + size > Math.Min(BufferBytes, _device.Capabilities.MaxAllocationBytes))
            _sizes.Add(0);
        var place = new Place(_sizes.Count - 1, _sizes[^1]);
        _sizes[^1] += size;
        return place;
    }

    private delegate void PackRow(GgmlType type, ReadOnlySpan<byte> row, Span<byte> target, int stride);

    private delegate void PackUnit(int unit, Span<byte> target);

    /// <summary>A row of several tensors taken together.</summary>
    private ReadOnlySpan<byte> Row(GgufTensor[] tensors, long row)
    {
        var at = 0;
        for (; row >= tensors[at].Rows; at++)
            row -= tensors[at].Rows;
        return _file.Row(tensors[at], row);
    }

    /// <summary>Packs rows, or groups of them, in parallel, chunk by chunk, so that the disk, the cores and the copy engine work at once.</summary>
    private void UploadUnits(Uploader uploader, Place place, int units, int unitBytes, PackUnit pack)
    {
        if (unitBytes == 0)
            return;
        uploader.Write(_buffers[place.Buffer], place.Offset, (ulong)units * (ulong)unitBytes, (ulong)unitBytes, (target, start, length) =>
        {
            var first = (int)(start / (ulong)unitBytes);
            Parallel.For(0, (int)(length / (ulong)unitBytes), i =>
                pack(first + i, new Span<byte>((byte*)target + (long)i * unitBytes, unitBytes)));
        });
    }
}
