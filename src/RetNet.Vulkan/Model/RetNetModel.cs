using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>A RetNet whose weights are on a device. Dispose it before the device.</summary>
public sealed class RetNetModel : IDisposable
{
    private readonly WeightStore _store;

    private RetNetModel(GpuDevice device, RetNetConfig config, IWeightSource source, MemoryPlan plan, IProgress<double>? progress)
    {
        (Device, Config) = (device, config);
        _store = new WeightStore(source, device);
        try
        {
            var embedding = _store.AddMatrix(TensorNames.TokenEmbedding);
            var output = _store.Has(TensorNames.Weight(TensorNames.Output)) ? _store.AddMatrix(TensorNames.Output) : embedding;
            var embeddingNorm = _store.Has(TensorNames.Weight(TensorNames.TokenEmbeddingNorm)) ? AddNorm(TensorNames.TokenEmbeddingNorm) : null;
            var outputNorm = Config.PostNorm ? null : AddNorm(TensorNames.OutputNorm);
            var layers = Enumerable.Range(0, Config.Layers).Select(AddLayer).ToArray();
            var decay = _store.AddValues(DecayTable(Config.Decay));
            var angles = _store.AddValues(AngleTable(Config.Angles));

            WeightBytes = _store.Bytes;
            plan.Add("weights", WeightBytes).EnsureFits(device);
            _store.Fill(progress);

            (Embedding, Output, EmbeddingNorm, OutputNorm) = (embedding(), output(), embeddingNorm?.Invoke(), outputNorm?.Invoke());
            Layers = [.. layers.Select(layer => layer())];
            (Decay, Angles) = (decay(), angles());
        }
        catch
        {
            _store.Dispose();
            throw;
        }
    }

    /// <summary>The device.</summary>
    public GpuDevice Device { get; }

    /// <summary>What the model computes.</summary>
    public RetNetConfig Config { get; }

    /// <summary>Bytes of weights on the device.</summary>
    public ulong WeightBytes { get; }

    /// <summary>Token embedding, [V, d].</summary>
    public DeviceMatrix Embedding { get; }

    /// <summary>Output projection, [V, d]; the embedding itself where they are tied.</summary>
    public DeviceMatrix Output { get; }

    /// <summary>Norm of the embedding, [d]; null where it is not normalised.</summary>
    public DeviceNorm? EmbeddingNorm { get; }

    /// <summary>Norm before the output projection, [d]; null in a post-norm model.</summary>
    public DeviceNorm? OutputNorm { get; }

    /// <summary>The layers.</summary>
    public IReadOnlyList<LayerWeights> Layers { get; }

    /// <summary>Device address of (γ, ln γ) of each head, f32 pairs.</summary>
    public ulong Decay { get; }

    /// <summary>Device address of each rotary pair's θ/2π · 2⁶⁴ as 64-bit integers: fractions of a turn.</summary>
    public ulong Angles { get; }

    /// <summary>Loads a model onto a device.</summary>
    /// <param name="device">The device; must outlive the model.</param>
    /// <param name="file">The GGUF; no longer needed afterwards.</param>
    /// <param name="plan">What else will be taken of the device's memory; the weights are added to it.</param>
    /// <param name="progress">Told the share of the weights that has been uploaded, 0 to 1.</param>
    /// <exception cref="GgufException">The file is no RetNet, or its tensors are not those of its settings.</exception>
    /// <exception cref="ModelException">Matrices that share an input have different types, or a LayerNorm of the heads has a weight.</exception>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static RetNetModel Load(GpuDevice device, GgufFile file, MemoryPlan plan, IProgress<double>? progress = null)
    {
        var config = RetNetGguf.ReadConfig(file);
        TensorShapes.Validate(file, config);
        if (config.RetentionNormType == NormType.Layer && file.TryGetTensor(TensorNames.Weight(TensorNames.HeadNorm(0)), out var affine))
            throw new ModelException($"{file.Path}: the kernels compute no LayerNorm of the heads with a weight ('{affine.Name}')");
        using var source = new FileWeights(file);
        return new(device, config, source, plan, progress);
    }

    /// <summary>Type of the layers' matrices: that of the first one.</summary>
    internal GgmlType WeightType => Layers[0].QueryKeyValueGate.Type;

    /// <summary>Makes a model of random weights on a device, for measurements: only shape and type are those of a real one.</summary>
    /// <param name="device">The device; must outlive the model.</param>
    /// <param name="config">The shape; the output projection is a matrix of its own, and there are no biases but a LayerNorm's.</param>
    /// <param name="type">Type of the matrices; those whose rows are no whole blocks of it are f16, as the converter makes them.</param>
    /// <param name="plan">What else will be taken of the device's memory; the weights are added to it.</param>
    /// <param name="seed">The same seed gives the same weights.</param>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static RetNetModel Random(GpuDevice device, RetNetConfig config, GgmlType type, MemoryPlan plan, uint seed = 1)
    {
        // Before the host makes a norm of any size.
        var bits = BlockType.Of(type).Bytes * 8.0 / BlockType.Of(type).Length;
        new MemoryPlan().Add("weights", (ulong)TensorShapes.Of(config).Where(shape => shape.IsMatrix).Sum(shape => shape.Dimensions[0] * shape.Dimensions[1] * bits / 8)).EnsureFits(device);
        using var source = new RandomWeights(device, config, type, seed);
        return new(device, config, source, plan, null);
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    private Func<DeviceNorm> AddNorm(string name) => _store.AddNorm(name, Config.Width, Config.NormType);

    /// <summary>(γ, ln γ), the logarithm taken in double since γ is close to 1.</summary>
    internal static float[] DecayTable(IEnumerable<float> decay) =>
        [.. decay.SelectMany(gamma => new[] { gamma, (float)Math.Log(gamma) })];

    /// <summary>θ/2π modulo one turn as a 64-bit fraction, low word first.</summary>
    internal static ulong[] AngleTable(IEnumerable<float> angles) =>
        [.. angles.Select(theta => theta / (2 * Math.PI)).Select(turns => (ulong)Math.ScaleB(turns - Math.Floor(turns), 64))];

    private Func<LayerWeights> AddLayer(int layer)
    {
        var retentionNorm = AddNorm(TensorNames.AttentionNorm(layer));
        string[] queryKeyValue = [TensorNames.Query(layer), TensorNames.Key(layer), TensorNames.Value(layer)];
        var projections = _store.AddMatrix(Config.OutputGate ? [.. queryKeyValue, TensorNames.Gate(layer)] : queryKeyValue);
        var headNorm = _store.AddVector(TensorNames.Weight(TensorNames.HeadNorm(layer)), Config.ValueSize, absent: 1);
        var retentionOutput = _store.AddMatrix(TensorNames.AttentionOutput(layer));
        var feedForwardNorm = AddNorm(TensorNames.FeedForwardNorm(layer));
        var up = TensorNames.FeedForwardUp(layer);
        var feedForwardIn = Config.GatedFeedForward ? _store.AddGatedUnit(TensorNames.FeedForwardGate(layer), up) : _store.AddMatrix(up);
        var subNorm = TensorNames.FeedForwardSubNorm(layer);
        var feedForwardSubNorm = _store.Has(TensorNames.Weight(subNorm)) ? _store.AddNorm(subNorm, Config.FeedForwardSize, Config.NormType) : null;
        var down = _store.AddMatrix(TensorNames.FeedForwardDown(layer));
        return () => new LayerWeights
        {
            RetentionNorm = retentionNorm(),
            QueryKeyValueGate = projections(),
            HeadNorm = headNorm(),
            RetentionOutput = retentionOutput(),
            FeedForwardNorm = feedForwardNorm(),
            FeedForwardIn = feedForwardIn(),
            FeedForwardSubNorm = feedForwardSubNorm?.Invoke(),
            FeedForwardDown = down(),
        };
    }
}
