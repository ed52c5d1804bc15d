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
    private readonly Embedding _embedding;
    private readonly Norm? _embeddingNorm;
    private readonly ReferenceLayer[] _layers;
    private readonly Norm? _outputNorm;
    private readonly Linear _output;
    private readonly MultiHeadRetention _retention;

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
        var embedding = tensors.Required(TensorNames.Weight(TensorNames.TokenEmbedding), vocabularyByWidth);
        _embedding = new Embedding(embedding, config.Width, config.EmbeddingScale);
        _embeddingNorm = tensors.OptionalNorm(TensorNames.TokenEmbeddingNorm, config.Width);
        _layers = new ReferenceLayer[config.Layers];
        for (var layer = 0; layer < _layers.Length; layer++)
            _layers[layer] = new ReferenceLayer(tensors, layer);
        _outputNorm = config.PostNorm ? null : tensors.Norm(TensorNames.OutputNorm, config.Width);
        _output = new Linear(tensors.Optional(TensorNames.Weight(TensorNames.Output), vocabularyByWidth) ?? embedding, null, config.Width);
        _retention = new MultiHeadRetention(config);
        Weights = tensors.Read;
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

    /// <summary>
    /// Every tensor by its canonical name, row-major, as it was given: passes see what is changed in them. A tied output is not among them.
    /// </summary>
    public IReadOnlyDictionary<string, float[]> Weights { get; }

    /// <summary>Called with intermediate values of every pass, in order; null by default.</summary>
    public ReferenceObserver? Observer { get; set; }

    /// <summary>Runs the tokens one by one through the recurrent form.</summary>
    /// <param name="tokens">Token ids, T of them.</param>
    /// <param name="state">The state that they follow, moved on by T tokens; null for a sequence that begins here.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Recurrent(ReadOnlySpan<int> tokens, ReferenceState? state = null) =>
        InChunks(tokens, 1, RetentionForm.Recurrent, state ?? new ReferenceState(Config));

    /// <summary>Runs a whole sequence at once through the parallel form.</summary>
    /// <param name="tokens">Token ids, T of them, from the first.</param>
    /// <param name="torchscaleClamp">Divides by the clamped sum of scores, as torchscale's parallel form does and no other.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Parallel(ReadOnlySpan<int> tokens, bool torchscaleClamp = false) =>
        Forward(tokens, torchscaleClamp ? RetentionForm.Clamped : RetentionForm.Parallel, new ReferenceState(Config));

    /// <summary>Runs the tokens chunk by chunk through the chunkwise form; the last chunk may be shorter.</summary>
    /// <param name="tokens">Token ids, T of them.</param>
    /// <param name="chunk">Tokens in a chunk, at least 1.</param>
    /// <param name="state">The state that they follow, moved on by T tokens; null for a sequence that begins here.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    public double[] Chunkwise(ReadOnlySpan<int> tokens, int chunk, ReferenceState? state = null) =>
        InChunks(tokens, chunk, RetentionForm.Chunkwise, state ?? new ReferenceState(Config));

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

    /// <summary>Runs tokens through all layers.</summary>
    /// <param name="tokens">Token ids, T of them.</param>
    /// <param name="form">The form of retention.</param>
    /// <param name="state">The state that they follow, moved on by T tokens.</param>
    /// <param name="tape">Records the way back; null where no gradients are wanted.</param>
    /// <returns>Logits after each token, [T, V].</returns>
    internal double[] Forward(ReadOnlySpan<int> tokens, RetentionForm form, ReferenceState state, Tape? tape = null)
    {
        var x = _embedding.Apply(tokens, tape);
        x = _embeddingNorm?.Apply(x, Config.Width, Config.NormEps, tape) ?? x;
        Observe(ReferenceStage.Embedding, -1, x);
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            var weights = _layers[layer];
            var index = layer;
            x = Residual(x, weights.AttentionNorm, normed => Retain(normed, index, form, state, tape), tape);
            x = Residual(x, weights.FeedForwardNorm, normed => FeedForward(normed, index, tape), tape);
            Observe(ReferenceStage.LayerOutput, layer, x);
        }

        state.Position += tokens.Length;
        var logits = _output.Apply(_outputNorm?.Apply(x, Config.Width, Config.NormEps, tape) ?? x, tape);
        Observe(ReferenceStage.Logits, -1, logits);
        return logits;
    }

    /// <summary>α x + f(norm x), or norm(α x + f(x)) in a post-norm model.</summary>
    private double[] Residual(double[] x, Norm norm, Func<double[], double[]> sublayer, Tape? tape)
    {
        var y = sublayer(Config.PostNorm ? x : norm.Apply(x, Config.Width, Config.NormEps, tape));
        var sum = Elementwise.AddScaled(x, Config.ResidualScale, y, tape);
        return Config.PostNorm ? norm.Apply(sum, Config.Width, Config.NormEps, tape) : sum;
    }

    private double[] Retain(double[] x, int layer, RetentionForm form, ReferenceState state, Tape? tape)
    {
        var weights = _layers[layer];
        var query = Observe(ReferenceStage.Query, layer, weights.Query.Apply(x, tape));
        var key = Observe(ReferenceStage.Key, layer, weights.Key.Apply(x, tape));
        var value = Observe(ReferenceStage.Value, layer, weights.Value.Apply(x, tape));

        query = Rotation.Apply(query, Config.Heads, Config.Angles, state.Position, 1, tape);
        key = Rotation.Apply(key, Config.KeyValueHeads, Config.Angles, state.Position, 1 / Math.Sqrt(Config.KeySize), tape);
        value = HeadLayout.Split(value, Config.KeyValueHeads, Config.ValueSize, tape);
        var retained = _retention.Apply(query, key, value, state.Values(layer), form, tape);
        retained = Observe(ReferenceStage.Retention, layer, HeadLayout.Join(retained, Config.Heads, Config.ValueSize, tape));

        retained = NormaliseHeads(retained, weights.HeadNorm, state.Position, tape);
        if (weights.Gate is { } gate)
            retained = Elementwise.Multiply(Elementwise.Activate(Activation.Silu, gate.Apply(x, tape), tape), retained, tape);
        Observe(ReferenceStage.GatedRetention, layer, retained);
        return Observe(ReferenceStage.AttentionOutput, layer, weights.AttentionOutput.Apply(retained, tape));
    }

    /// <summary>
    /// RMS norm or LayerNorm of each head's dv values. A scaled ε is ε·S_n: torchscale normalises õ/√S_n with ε, which is to
    /// normalise õ with ε·S_n.
    /// </summary>
    private double[] NormaliseHeads(double[] retained, Norm norm, long position, Tape? tape)
    {
        return norm.Apply(retained, Config.ValueSize, Eps, tape);

        double Eps(int row)
        {
            var (token, head) = Math.DivRem(row, Config.Heads);
            return Config.RetentionEps * (Config.RetentionEpsScaled ? DecaySum.Of(Config.Decay[head], position + token) : 1);
        }
    }

    private double[] FeedForward(double[] x, int layer, Tape? tape)
    {
        var weights = _layers[layer];
        var up = weights.FeedForwardUp.Apply(x, tape);
        var hidden = weights.FeedForwardGate is { } gate
            ? Elementwise.Multiply(Elementwise.Activate(Config.Activation, gate.Apply(x, tape), tape), up, tape)
            : Elementwise.Activate(Config.Activation, up, tape);
        hidden = weights.FeedForwardSubNorm?.Apply(hidden, Config.FeedForwardSize, Config.NormEps, tape) ?? hidden;
        return weights.FeedForwardDown.Apply(Observe(ReferenceStage.FeedForwardHidden, layer, hidden), tape);
    }

    private double[] Observe(ReferenceStage stage, int layer, double[] values)
    {
        Observer?.Invoke(stage, layer, values);
        return values;
    }
}
