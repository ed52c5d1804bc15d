using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Training;

/// <summary>
/// A model's tensors as f32 on the device with their gradients and, once an optimiser asks for them, its moments. Each group of tensors has a buffer of
/// each of these; all but the weights hold trained tensors only. Dispose it before the device; not thread-safe.
/// </summary>
public sealed unsafe class ParameterSet : IDisposable
{
    private const int Alignment = 64;

    /// <summary>Most bytes that are read back at once.</summary>
    private const int ReadBytes = 32 << 20;

    private readonly GpuDevice _device;
    private readonly Dictionary<string, ParameterTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<ParameterTensor> _order = [];
    private readonly List<GroupBuffers> _groups = [];

    /// <summary>Takes memory for weights, and for the gradients of those that are trained; all zero.</summary>
    /// <param name="device">The device; must outlive the set.</param>
    /// <param name="groups">The tensors, each group in a buffer of its own.</param>
    /// <exception cref="GpuException">They do not fit the device.</exception>
    public ParameterSet(GpuDevice device, IReadOnlyList<ParameterGroup> groups)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(groups);
        _device = device;
        var floats = groups.Select(Place).ToArray();
        var plan = new MemoryPlan().Add("weights", Bytes(floats, all => all.Weights)).Add("gradients", Bytes(floats, all => all.Trained));
        plan.EnsureFits(device, "Training this model", "Train a smaller one, train adapters only, or choose another device.");
        try
        {
            for (var i = 0; i < floats.Length; i++)
                _groups.Add(new(device, groups[i].Name, floats[i].Weights, floats[i].Trained));
        }
        catch
        {
            Dispose();
            throw;
        }

        foreach (var tensor in _order)
        {
            tensor.Weight = AddressOf(tensor, ParameterKind.Weight);
            tensor.Gradient = tensor.Trainable ? AddressOf(tensor, ParameterKind.Gradient) : 0;
        }
    }

    /// <summary>All tensors in the order of their places.</summary>
    public IReadOnlyList<ParameterTensor> Tensors => _order;

    /// <summary>Values that are trained.</summary>
    public long TrainedElements => _order.Where(tensor => tensor.Trainable).Sum(tensor => tensor.Elements);

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public ParameterTensor this[string name] => _tensors.TryGetValue(name, out var tensor) ? tensor : throw new KeyNotFoundException($"there is no parameter '{name}'");

    /// <summary>The tensor of that name, or null.</summary>
    public ParameterTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>A model's weights of any type from a file, as f32.</summary>
    /// <param name="device">The device; must outlive the set.</param>
    /// <param name="config">The model's settings.</param>
    /// <param name="file">The GGUF; no longer needed afterwards.</param>
    /// <param name="trainable">Whether a tensor is trained; null trains all.</param>
    /// <param name="decayAll">Whether weight decay applies to vectors too.</param>
    /// <param name="more">Groups beside the model's own, of zeros: adapters.</param>
    /// <exception cref="GgufException">The file's tensors are not those of its settings.</exception>
    /// <exception cref="ModelException">Of matrices that share an input some have a bias and some have none.</exception>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static ParameterSet Load(
        GpuDevice device, RetNetConfig config, GgufFile file, Func<string, bool>? trainable = null, bool decayAll = false, IEnumerable<ParameterGroup>? more = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        TensorShapes.Validate(file, config);
        var groups = ParameterShapes.Of(config, file.Tensors.ContainsKey, trainable, decayAll);
        return Create(device, [.. groups, .. more ?? []], groups, (tensor, row, values) =>
        {
            var source = file.GetTensor(tensor.Name);
            source.Type.Dequantize(file.Row(source, row), values);
        });
    }

    /// <summary>Random weights to begin with.</summary>
    /// <param name="device">The device; must outlive the set.</param>
    /// <param name="config">The model's settings.</param>
    /// <param name="initialisation">How they are drawn.</param>
    /// <param name="tied">Whether the embedding is the output projection too.</param>
    /// <param name="decayAll">Whether weight decay applies to vectors too.</param>
    /// <param name="more">Groups beside the model's own, of zeros.</param>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static ParameterSet Random(
        GpuDevice device, RetNetConfig config, Initialisation initialisation, bool tied = false, bool decayAll = false, IEnumerable<ParameterGroup>? more = null)
    {
        ArgumentNullException.ThrowIfNull(initialisation);
        var groups = ParameterShapes.Of(config, name => !tied && name == TensorNames.Weight(TensorNames.Output), null, decayAll);
        return Create(device, [.. groups, .. more ?? []], groups, (tensor, row, values) => initialisation.Fill(config, tensor.Shape, row, values));
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGradients(Recorder recorder)
    {
        ArgumentNullException.ThrowIfNull(recorder);
        foreach (var buffer in _groups.Select(group => group.Of(ParameterKind.Gradient)).OfType<GpuBuffer>())
            recorder.Fill(buffer);
    }

    /// <summary>Takes memory for an optimiser's moments, zero; nothing where it is there.</summary>
    /// <param name="moments">1: the first; 2: both.</param>
    /// <exception cref="GpuException">They do not fit the device.</exception>
    public void AddMoments(int moments)
    {
        var needed = _groups.Aggregate(0UL, (sum, group) => sum + group.MissingMomentBytes(moments));
        if (needed > 0)
            new MemoryPlan().Add("moments", needed).EnsureFits(_device, "The optimiser's state", "Train a smaller model, train adapters only, or choose another device.");
        foreach (var group in _groups)
            group.AddMoments(_device, moments);
    }

    /// <summary>Whether there is memory for a kind: gradients of tensors that are trained, moments once an optimiser asked for them.</summary>
    public bool Has(string name, ParameterKind kind) => BufferOf(this[name], kind) is not null;

    /// <summary>Reads a tensor or what belongs to it, row after row without padding, and waits for it.</summary>
    /// <exception cref="InvalidOperationException">It is not there (<see cref="Has"/>).</exception>
    public float[] Read(string name, ParameterKind kind = ParameterKind.Weight)
    {
        var tensor = this[name];
        var buffer = Required(tensor, kind);
        var values = new float[tensor.Elements];
        var rows = Math.Clamp(ReadBytes / sizeof(float) / tensor.Stride, 1, tensor.Rows);
        var padded = new float[tensor.IsMatrix ? (long)rows * tensor.Stride : tensor.Columns];
        for (var row = 0; row < tensor.Rows; row += rows)
        {
            var count = Math.Min(rows, tensor.Rows - row);
            var part = padded.AsSpan(0, tensor.IsMatrix ? count * tensor.Stride : tensor.Columns);
            _device.Read(buffer, (ulong)(OffsetOf(tensor, kind) + (long)row * tensor.Stride) * sizeof(float), part);
            for (var i = 0; i < count; i++)
                part.Slice(i * tensor.Stride, tensor.Columns).CopyTo(values.AsSpan((row + i) * tensor.Columns));
        }

        return values;
    }

    /// <summary>Writes a tensor or what belongs to it, row after row without padding, and waits for it.</summary>
    /// <exception cref="ArgumentException">There are more or fewer values than it has.</exception>
    /// <exception cref="InvalidOperationException">It is not there (<see cref="Has"/>).</exception>
    public void Write(string name, ParameterKind kind, ReadOnlyMemory<float> values)
    {
        var tensor = this[name];
        if (values.Length != tensor.Elements)
            throw new ArgumentException($"'{name}' has {tensor.Elements} values, not {values.Length}", nameof(values));
        using var uploader = new Uploader(_device);
        Fill(uploader, tensor, kind, (_, row, target) => values.Span.Slice(row * tensor.Columns, tensor.Columns).CopyTo(target));
    }

    /// <inheritdoc/>
    public void Dispose() => _groups.ForEach(group => group.Dispose());

    /// <summary>Device address of a tensor or what belongs to it.</summary>
    internal ulong AddressOf(ParameterTensor tensor, ParameterKind kind) => Required(tensor, kind).Address + (ulong)OffsetOf(tensor, kind) * sizeof(float);

    private delegate void FillRow(ParameterTensor tensor, int row, Span<float> values);

    private static ParameterSet Create(GpuDevice device, IReadOnlyList<ParameterGroup> all, IReadOnlyList<ParameterGroup> filled, FillRow fill)
    {
        var set = new ParameterSet(device, all);
        try
        {
            using var uploader = new Uploader(device);
            foreach (var shape in filled.SelectMany(group => group.Shapes))
                set.Fill(uploader, set[shape.Name], ParameterKind.Weight, fill);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Fills rows in parallel, with zeros behind them.</summary>
    private void Fill(Uploader uploader, ParameterTensor tensor, ParameterKind kind, FillRow fill)
    {
        var stride = tensor.IsMatrix ? tensor.Stride : tensor.Columns;
        var rowBytes = (ulong)stride * sizeof(float);
        uploader.Write(Required(tensor, kind), (ulong)OffsetOf(tensor, kind) * sizeof(float), (ulong)tensor.Floats * sizeof(float), rowBytes, (target, start, length) =>
        {
            var first = (int)(start / rowBytes);
            Parallel.For(0, (int)(length / rowBytes), i =>
            {
                var row = new Span<float>((float*)target + ((long)i * stride), stride);
                fill(tensor, first + i, row[..tensor.Columns]);
                row[tensor.Columns..].Clear();
            });
        });
    }

    private GpuBuffer? BufferOf(ParameterTensor tensor, ParameterKind kind) =>
        kind == ParameterKind.Weight || tensor.Trainable ? _groups[tensor.Group].Of(kind) : null;

    private GpuBuffer Required(ParameterTensor tensor, ParameterKind kind) =>
        BufferOf(tensor, kind) ?? throw new InvalidOperationException($"'{tensor.Name}' has no {kind}");

    private static long OffsetOf(ParameterTensor tensor, ParameterKind kind) => kind == ParameterKind.Weight ? tensor.Offset : tensor.GradientOffset;

    /// <summary>Gives a group's tensors their places.</summary>
    private (long Weights, long Trained) Place(ParameterGroup group, int index)
    {
        long weights = 0, trained = 0;
        foreach (var shape in group.Shapes)
        {
            if (!shape.Joined)
                (weights, trained) = (Align(weights), Align(trained));
            var tensor = new ParameterTensor(shape, index, weights, trained);
            if (!_tensors.TryAdd(shape.Name, tensor))
                throw new ArgumentException($"there are two parameters '{shape.Name}'");
            _order.Add(tensor);
            weights += tensor.Floats;
            trained += shape.Trainable ? tensor.Floats : 0;
        }

        return (Align(weights), Align(trained));
    }

    private static long Align(long floats) => (floats + Alignment - 1) / Alignment * Alignment;

    private static ulong Bytes((long Weights, long Trained)[] groups, Func<(long Weights, long Trained), long> of) => (ulong)groups.Sum(of) * sizeof(float);

    /// <summary>A group's memory.</summary>
    private sealed class GroupBuffers : IDisposable
    {
        private readonly GpuBuffer?[] _buffers = new GpuBuffer?[4];
        private readonly string _name;
        private readonly ulong _trainedBytes;

        public GroupBuffers(GpuDevice device, string name, long floats, long trained)
        {
            (_name, _trainedBytes) = (name, (ulong)trained * sizeof(float));
            try
            {
                Add(device, ParameterKind.Weight, (ulong)floats * sizeof(float));
                Add(device, ParameterKind.Gradient, _trainedBytes);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public GpuBuffer? Of(ParameterKind kind) => _buffers[(int)kind];

        public ulong MissingMomentBytes(int moments) => (ulong)Enumerable.Range(0, moments).Count(i => Of(ParameterKind.FirstMoment + i) is null) * _trainedBytes;

        public void AddMoments(GpuDevice device, int moments)
        {
            for (var kind = ParameterKind.FirstMoment; kind < ParameterKind.FirstMoment + moments; kind++)
                if (Of(kind) is null)
                    Add(device, kind, _trainedBytes);
        }

        public void Dispose()
        {
            foreach (var buffer in _buffers)
                buffer?.Dispose();
        }

        private void Add(GpuDevice device, ParameterKind kind, ulong bytes)
        {
            if (bytes == 0)
                return;
            var buffer = _buffers[(int)kind] = device.Allocate($"{kind} of {_name}", bytes);
            device.Run("clear", recorder => recorder.Fill(buffer));
        }
    }
}
