using System.Numerics.Tensors;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Reference;

/// <summary>
/// A canonical RetNet on the CPU in double precision: what GPU results are compared with. Its three modes share
/// everything but retention, which each computes by its own formula of the paper (arXiv:2307.08621, §2).
/// </summary>
/// <remarks>
/// Weights are kept as floats, which hold every GGUF block type exactly. Passes use all cores; a model may run
/// several passes at once when it has no <see cref="Observer"/> and they have different states.
/// </remarks>
public sealed class ReferenceModel
{
    private readonly float[] _embedding;
    private readonly Norm? _embeddingNorm;
    private readonly ReferenceLayer[] _layers;
    private readonly Norm? _outputNorm;
    private readonly Linear _output;

    /// <summary>Takes the weights of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="find">
    /// The values of a tensor by its canonical name (docs/format.md), row-major, or null when there is none.
    /// </param>
    /// <exception cref="InvalidDataException">A tensor is missing or of another size.</exception>
    public ReferenceModel(RetNetConfig config, Func<string, float[]?> find)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(find);
        Config = config;
        var tensors = new TensorReader(config, find);
        var vocabularyByWidth = checked(config.VocabularySize * config.Width);
        _embedding = tensors.Required(TensorNames.Weight(TensorNames.TokenEmbedding), vocabularyByWidth);
        _embeddingNorm = tensors.OptionalNorm(TensorNames.TokenEmbeddingNorm, config.Width);
        _layers = new ReferenceLayer[config.Layers];
        for (var layer = 0; layer < _layers.Length; layer++)
            _layers[layer] = new ReferenceLayer(tensors, layer);
        _outputNorm = config.PostNorm ? null : tensors.Norm(TensorNames.OutputNorm, config.Width);
        _output = new Linear(tensors.Optional(TensorNames.Weight(TensorNames.Output), vocabularyByWidth) ?? _embedding, null, config.Width);
    }

    /// <summary>Reads a whole model, dequantised, into memory; the file may be closed afterwards.</summary>
    /// <exception cref="GgufException">The file holds no complete RetNet; the message names what is wrong.</exception>
    public static ReferenceModel Load(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var config = RetNetGguf.ReadConfig(file);
        TensorShapes.Validate(file, config);
        return new ReferenceModel(config, name => file.TryGetTensor(name, out var tensor) ? Dequantize(file, tensor) : null);
    }

    /// <summary>The model.</summary>
    public RetNetConfig Config { get; }

    /// <summary>Called with intermediate values of every pass, in order; null by default.</summary>
    public ReferenceObserver? Observer { get; set; }

    /// <summary>Runs the tokens one by one through the recurrent form.</summary>
    /// <param name="tokens">Token ids, T of them.</param>
    /// <param name="state">The state that they follow, moved on by T tokens; null for a sequence that begins here.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Recurrent(ReadOnlySpan<int> tokens, ReferenceState? state = null) =>
        InChunks(tokens, 1, RecurrentRetention.Apply, state ?? new ReferenceState(Config));

    /// <summary>Runs a whole sequence at once through the parallel form.</summary>
    /// <param name="tokens">Token ids, T of them, from the first.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Parallel(ReadOnlySpan<int> tokens) => Forward(tokens, ParallelRetention.Apply, new ReferenceState(Config));

    /// <summary>Runs the tokens chunk by chunk through the chunkwise form; the last chunk may be shorter.</summary>
    /// <param name="tokens">Token ids, T of them.</param>
    /// <param name="chunk">Tokens in a chunk, at least 1.</param>
    /// <param name="state">The state that they follow, moved on by T tokens; null for a sequence that begins here.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Chunkwise(ReadOnlySpan<int> tokens, int chunk, ReferenceState? state = null) =>
        InChunks(tokens, chunk, ChunkwiseRetention.Apply, state ?? new ReferenceState(Config));

    private static float[] Dequantize(GgufFile file, GgufTensor tensor)
    {
        var values = new float[checked((int)tensor.Elements)];
        var width = (int)tensor.RowLength;
        for (var row = 0; row < tensor.Rows; row++)
            tensor.Type.Dequantize(file.Row(tensor, row), values.AsSpan(row * width, width));
        return values;
    }

    private double[] InChunks(ReadOnlySpan<int> tokens, int chunk, RetentionForm form, ReferenceState state)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        var logits = new double[checked(tokens.Length * Config.VocabularySize)];
        for (var start = 0; start < tokens.Length; start += chunk)
        {
            var length = Math.Min(chunk, tokens.Length - start);
            Forward(tokens.Slice(start, length), form, state).CopyTo(logits, start * Config.VocabularySize);
        }

        return logits;
    }

    private double[] Forward(ReadOnlySpan<int> tokens, RetentionForm form, ReferenceState state)
    {
        var x = Embed(tokens);
        Observe(ReferenceStage.Embedding, -1, x);
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            var weights = _layers[layer];
            var index = layer;
            x = Residual(x, weights.AttentionNorm, normed => Retain(normed, index, form, state));
            x = Residual(x, weights.FeedForwardNorm, normed => FeedForward(normed, index));
            Observe(ReferenceStage.LayerOutput, layer, x);
        }

        state.Position += tokens.Length;
        var logits = _output.Apply(_outputNorm?.Apply(x, Config.Width, Config.NormEps) ?? x);
        Observe(ReferenceStage.Logits, -1, logits);
        return logits;
    }

    private double[] Embed(ReadOnlySpan<int> tokens)
    {
        var x = new double[tokens.Length * Config.Width];
        for (var token = 0; token < tokens.Length; token++)
        {
            var id = tokens[token];
            if ((uint)id >= (uint)Config.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(tokens), id, $"token ids are 0 to {Config.VocabularySize - 1}");
            for (var i = 0; i < Config.Width; i++)
                x[token * Config.Width + i] = (double)_embedding[id * Config.Width + i] * Config.EmbeddingScale;
        }

        return _embeddingNorm?.Apply(x, Config.Width, Config.NormEps) ?? x;
    }

    /// <summary>α x + f(norm x), or norm(α x + f(x)) in a post-norm model.</summary>
    private double[] Residual(double[] x, Norm norm, Func<double[], double[]> sublayer)
    {
        var y = sublayer(Config.PostNorm ? x : norm.Apply(x, Config.Width, Config.NormEps));
        TensorPrimitives.MultiplyAdd(x, Config.ResidualScale, y, y);
        return Config.PostNorm ? norm.Apply(y, Config.Width, Config.NormEps) : y;
    }

    private double[] Retain(double[] x, int layer, RetentionForm form, ReferenceState state)
    {
        var weights = _layers[layer];
        var query = Observe(ReferenceStage.Query, layer, weights.Query.Apply(x));
        var key = Observe(ReferenceStage.Key, layer, weights.Key.Apply(x));
        var value = Observe(ReferenceStage.Value, layer, weights.Value.Apply(x));

        var keyScale = 1 / Math.Sqrt(Config.KeySize);
        query = Rotation.Apply(query, Config.Heads, Config.Angles, state.Position, 1);
        key = Rotation.Apply(key, Config.KeyValueHeads, Config.Angles, state.Position, keyScale);
        value = HeadMajor(value);
        var retained = new double[x.Length / Config.Width * Config.OutputWidth];
        System.Threading.Tasks.Parallel.For(0, Config.Heads, head =>
            RetainHead(head, query, key, value, form, state.Head(layer, head, Config.KeySize * Config.ValueSize).Span, retained));
        Observe(ReferenceStage.Retention, layer, retained);

        NormaliseHeads(retained, weights.HeadNorm, state.Position);
        if (weights.Gate is { } gate)
            ApplyGate(retained, gate.Apply(x));
        Observe(ReferenceStage.GatedRetention, layer, retained);
        return Observe(ReferenceStage.AttentionOutput, layer, weights.AttentionOutput.Apply(retained));
    }

    private void RetainHead(
        int head, double[] query, double[] key, double[] value, RetentionForm form, Span<double> state, double[] retained)
    {
        var length = query.Length / Config.QueryWidth;
        var source = head / (Config.Heads / Config.KeyValueHeads);
        var (keys, values) = (length * Config.KeySize, length * Config.ValueSize);
        var input = new RetentionHead
        {
            Decay = Config.Decay[head],
            KeySize = Config.KeySize,
            ValueSize = Config.ValueSize,
            Queries = query.AsSpan(head * keys, keys),
            Keys = key.AsSpan(source * keys, keys),
            Values = value.AsSpan(source * values, values),
        };
        var output = new double[values];
        form(input, state, output);
        for (var token = 0; token < length; token++)
            output.AsSpan(token * Config.ValueSize, Config.ValueSize).CopyTo(HeadOutput(retained, token, head));
    }

    /// <summary>
    /// RMS norm or LayerNorm of each head's dv values. A scaled ε is ε·S_n: torchscale normalises õ/√S_n with ε, which is to
    /// normalise õ with ε·S_n.
    /// </summary>
    private void NormaliseHeads(double[] retained, Norm norm, long position)
    {
        for (var token = 0; token < retained.Length / Config.OutputWidth; token++)
        {
            for (var head = 0; head < Config.Heads; head++)
            {
                var scale = Config.RetentionEpsScaled ? DecaySum(Config.Decay[head], position + token) : 1;
                norm.Apply(HeadOutput(retained, token, head), Config.RetentionEps * scale);
            }
        }
    }

    /// <summary>S_n = Σ_{t=0..n} γᵗ.</summary>
    internal static double DecaySum(double decay, long n) =>
        decay == 1 ? n + 1 : (1 - Math.Pow(decay, n + 1)) / (1 - decay);

    private static void ApplyGate(double[] retained, double[] gate)
    {
        for (var i = 0; i < retained.Length; i++)
            retained[i] *= Activations.Silu(gate[i]);
    }

    private double[] FeedForward(double[] x, int layer)
    {
        var weights = _layers[layer];
        var hidden = weights.FeedForwardUp.Apply(x);
        if (weights.FeedForwardGate?.Apply(x) is { } gate)
        {
            for (var i = 0; i < hidden.Length; i++)
                hidden[i] *= Activations.Apply(Config.Activation, gate[i]);
        }
        else
        {
            for (var i = 0; i < hidden.Length; i++)
                hidden[i] = Activations.Apply(Config.Activation, hidden[i]);
        }

        hidden = weights.FeedForwardSubNorm?.Apply(hidden, Config.FeedForwardSize, Config.NormEps) ?? hidden;
        return weights.FeedForwardDown.Apply(Observe(ReferenceStage.FeedForwardHidden, layer, hidden));
    }

    /// <summary>[T, heads·dv] to [heads, T, dv].</summary>
    private double[] HeadMajor(double[] value)
    {
        var (heads, size) = (Config.KeyValueHeads, Config.ValueSize);
        var length = value.Length / Config.ValueWidth;
        var result = new double[value.Length];
        for (var token = 0; token < length; token++)
        {
            for (var head = 0; head < heads; head++)
                value.AsSpan((token * heads + head) * size, size).CopyTo(result.AsSpan((head * length + token) * size));
        }

        return result;
    }

    private Span<double> HeadOutput(double[] retained, int token, int head) =>
        retained.AsSpan(token * Config.OutputWidth + head * Config.ValueSize, Config.ValueSize);

    private double[] Observe(ReferenceStage stage, int layer, double[] values)
    {
        Observer?.Invoke(stage, layer, values);
        return values;
    }
}
