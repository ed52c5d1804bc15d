namespace RetNet.Converter.Tests;

/// <summary>
/// torchscale's RetNet of 2023-08-04 to 2023-09-27 in its recurrent form, written out from its code (architecture/retnet.py,
/// component/multiscale_retention.py, feedforward_network.py) in double precision: no other implementation is at hand to compare with.
/// </summary>
internal sealed class OldTorchscaleModel(TestCheckpoint checkpoint)
{
    private const int Width = 48;
    private const int Heads = 3;
    private const int Layers = 2;
    private const int KeySize = Width / Heads;
    private const int ValueSize = 2 * Width / Heads;

    private readonly double[,,] _state = new double[Layers, Heads, KeySize * ValueSize];
    private readonly double[] _scale = new double[Heads];

    public double[] Recurrent(int[] tokens)
    {
        var logits = new List<double>();
        for (int n = 0; n < tokens.Length; n++)
        {
            double[] x = [.. Values("embed_tokens.weight").AsSpan(tokens[n] * Width, Width)];
            double[] previous = [.. _scale];
            for (int h = 0; h < Heads; h++)
                _scale[h] = _scale[h] * Decay(h) + 1;
            for (int layer = 0; layer < Layers; layer++)
            {
                string name = $"layers.{layer}.";
                x = Add(x, Retain(LayerNorm(x, name + "retention_layer_norm", 1e-5), layer, n, previous));
                double[] hidden = [.. Linear(LayerNorm(x, name + "final_layer_norm", 1e-5), name + "ffn.fc1").Select(Gelu)];
                x = Add(x, Linear(LayerNorm(hidden, name + "ffn.ffn_layernorm", 1e-5), name + "ffn.fc2"));
            }

            logits.AddRange(Linear(LayerNorm(x, "layer_norm", 1e-5), "output_projection"));
        }

        return [.. logits];
    }

    private double[] Retain(double[] x, int layer, int n, double[] previous)
    {
        string name = $"layers.{layer}.retention.";
        double[] q = Rotate(Linear(x, name + "q_proj"), n);
        double[] k = Rotate([.. Linear(x, name + "k_proj").Select(value => value / Math.Sqrt(KeySize))], n);
        double[] v = Linear(x, name + "v_proj");
        double[] g = Linear(x, name + "g_proj");
        var output = new List<double>();
        for (int h = 0; h < Heads; h++)
        {
            var head = new double[ValueSize];
            double keep = Math.Sqrt(previous[h]) * Decay(h) / Math.Sqrt(_scale[h]);
            for (int i = 0; i < KeySize * ValueSize; i++)
            {
                (int key, int value) = (i / ValueSize, i % ValueSize);
                _state[layer, h, i] = _state[layer, h, i] * keep + k[h * KeySize + key] * v[h * ValueSize + value] / Math.Sqrt(_scale[h]);
                head[value] += q[h * KeySize + key] * _state[layer, h, i];
            }

            output.AddRange(LayerNorm(head, null, 1e-6));
        }

        return Linear([.. output.Zip(g, (o, gate) => o * gate / (1 + Math.Exp(-gate)))], name + "out_proj");
    }

    private static double[] Rotate(double[] x, int n)
    {
        var y = new double[x.Length];
        for (int i = 0; i < x.Length; i += 2)
        {
            (double sin, double cos) = Math.SinCos(n * Math.Pow(10000, -(i % KeySize / 2) / (KeySize / 2 - 1.0)));
            (y[i], y[i + 1]) = (x[i] * cos - x[i + 1] * sin, x[i + 1] * cos + x[i] * sin);
        }

        return y;
    }

    private double[] LayerNorm(double[] x, string? name, double eps)
    {
        double mean = x.Average();
        double deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + eps);
        double[] y = [.. x.Select(value => (value - mean) / deviation)];
        return name is null ? y : Add([.. y.Zip(Values(name + ".weight"), (value, weight) => value * weight)], Values(name + ".bias"));
    }

    private double[] Linear(double[] x, string name)
    {
        double[] y = [.. Values(name + ".weight").Chunk(x.Length).Select(row => row.Zip(x, (weight, value) => weight * value).Sum())];
        return checkpoint.Tensors.ContainsKey(name + ".bias") ? Add(y, Values(name + ".bias")) : y;
    }

    private double[] Values(string name) => [.. checkpoint.Values(name).ToArray().Select(value => (double)value)];

    private static double[] Add(double[] x, double[] y) => [.. x.Zip(y, (left, right) => left + right)];

    private static double Decay(int head) => 1 - Math.Pow(2, -5 - head);

    // x · Φ(x), the integral by Simpson's rule.
    private static double Gelu(double x)
    {
        const int steps = 200;
        double sum = 0;
        for (int i = 0; i <= steps; i++)
            sum += (i is 0 or steps ? 1 : i % 2 == 0 ? 2 : 4) * Math.Exp(-x * x * i * i / (2.0 * steps * steps));
        return x * (0.5 + x * sum / (3 * steps) / Math.Sqrt(2 * Math.PI));
    }
}
