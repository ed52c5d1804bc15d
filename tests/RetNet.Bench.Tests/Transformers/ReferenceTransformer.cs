using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Bench.Tests.Transformers;

/// <summary>
/// One sequence of a pre-norm Transformer in double precision: rotary multi-head attention (Vaswani et al., arXiv 1706.03762; Su et al.,
/// arXiv 2104.09864) and a gated feed-forward network. Keys and values of tokens before are kept as the device keeps them, rounded to f16.
/// </summary>
internal sealed class ReferenceTransformer
{
    private readonly RetNetConfig _config;
    private readonly float[] _embedding;
    private readonly ReferenceLayer[] _layers;
    private readonly Norm _outputNorm;
    private readonly Linear _output;
    private readonly List<double[]>[] _keys;
    private readonly List<double[]>[] _values;

    public ReferenceTransformer(RetNetConfig config, Func<string, float[]?> tensor)
    {
        var tensors = new TensorReader(config, tensor);
        _config = config;
        _embedding = tensors.Required(TensorNames.Weight(TensorNames.TokenEmbedding), config.Width * config.VocabularySize);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(layer => new ReferenceLayer(tensors, layer))];
        _outputNorm = tensors.Norm(TensorNames.OutputNorm, config.Width);
        _output = tensors.Linear(TensorNames.Output, config.Width, config.VocabularySize);
        (_keys, _values) = (Empty(), Empty());
    }

    /// <summary>Tokens taken in.</summary>
    public int Position => _keys[0].Count;

    /// <summary>Takes in a position of a layer as a cache has it, [heads][head size].</summary>
    public void Append(int layer, double[] key, double[] value)
    {
        _keys[layer].Add(key);
        _values[layer].Add(value);
    }

    /// <summary>Takes in a token and returns the logits after it.</summary>
    public double[] Next(int token)
    {
        double[] x = [.. _embedding.AsSpan(token * _config.Width, _config.Width).ToArray().Select(value => (double)value)];
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            var weights = _layers[layer];
            x = Sum(x, weights.AttentionOutput.Apply(Attend(layer, weights.AttentionNorm.Apply(x, _config.Width, _config.NormEps))));
            var normed = weights.FeedForwardNorm.Apply(x, _config.Width, _config.NormEps);
            var up = weights.FeedForwardUp.Apply(normed);
            double[] hidden = [.. weights.FeedForwardGate!.Apply(normed).Select((gate, i) => Activations.Silu(gate) * up[i])];
            x = Sum(x, weights.FeedForwardDown.Apply(hidden));
        }

        return _output.Apply(_outputNorm.Apply(x, _config.Width, _config.NormEps));
    }

    private static double[] Sum(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];

    private static double[] Rounded(double[] x) => [.. x.Select(value => (double)(Half)value)];

    private List<double[]>[] Empty() => [.. Enumerable.Range(0, _config.Layers).Select(_ => new List<double[]>())];

    private double[] Attend(int layer, double[] x)
    {
        var (weights, size, position) = (_layers[layer], _config.KeySize, _keys[layer].Count);
        var query = Rotation.Apply(weights.Query.Apply(x), _config.Heads, _config.Angles, position, 1 / Math.Sqrt(size));
        var key = Rotation.Apply(weights.Key.Apply(x), _config.Heads, _config.Angles, position, 1);
        var value = weights.Value.Apply(x);
        double[][] keys = [.. _keys[layer], key], values = [.. _values[layer], value];
        Append(layer, Rounded(key), Rounded(value));
        var o = new double[query.Length];
        for (var head = 0; head < _config.Heads; head++)
        {
            var columns = Enumerable.Range(head * size, size).ToArray();
            var scores = keys.Select(past => columns.Sum(i => query[i] * past[i])).ToArray();
            var shares = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
            foreach (var i in columns)
                o[i] = shares.Zip(values, (share, past) => share * past[i]).Sum() / shares.Sum();
        }

        return o;
    }
}
