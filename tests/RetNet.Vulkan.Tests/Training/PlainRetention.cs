using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Random q̂, k̂, v and do of some sequences, and retention with its gradients as the sums that define them.</summary>
internal sealed class PlainRetention
{
    public PlainRetention(RetNetConfig config, int sequences, int length)
    {
        (Config, Length, Rows) = (config, length, sequences * length);
        // Even where values are: kernels that load pairs are used there.
        Width = config.QueryWidth + config.KeyWidth + config.ValueWidth + (config.ValueSize % 2 == 0 ? 2 : 3);
        var random = new Random(length);
        float[] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
        (Projections, OutputGradient) = (Random(Rows * Width), Random(Rows * config.OutputWidth));
        (Output, QueryGradient) = (new double[Rows * config.OutputWidth], new double[Rows * config.QueryWidth]);
        (KeyGradient, ValueGradient) = (new double[Rows * config.KeyWidth], new double[Rows * config.ValueWidth]);
        for (var head = 0; head < config.Heads; head++)
            for (var first = 0; first < Rows; first += length)
                for (var n = 0; n < length; n++)
                    for (var m = 0; m <= n; m++)
                        Add(head, first + n, first + m, Math.Pow(config.Decay[head], n - m));
    }

    public RetNetConfig Config { get; }

    public int Length { get; }

    public int Rows { get; }

    /// <summary>Columns of <see cref="Projections"/>, some of them unused.</summary>
    public int Width { get; }

    /// <summary>q̂, k̂, v.</summary>
    public float[] Projections { get; }

    /// <summary>do.</summary>
    public float[] OutputGradient { get; }

    public double[] Output { get; }

    public double[] QueryGradient { get; }

    public double[] KeyGradient { get; }

    public double[] ValueGradient { get; }

    /// <summary>Columns of an array that is laid out as <see cref="Projections"/>.</summary>
    public float[] Part(float[] values, int first, int columns) =>
        [.. Enumerable.Range(0, Rows * columns).Select(i => values[i / columns * Width + first + i % columns])];

    /// <summary>o_n += s (q̂_n·k̂_m) v_m, and what differentiates it.</summary>
    private void Add(int head, int n, int m, double s)
    {
        var (keySize, valueSize, source) = (Config.KeySize, Config.ValueSize, head / (Config.Heads / Config.KeyValueHeads));
        var (q, k, v) = (n * Width + head * keySize, m * Width + Config.QueryWidth + source * keySize, m * Width + Config.QueryWidth + Config.KeyWidth + source * valueSize);
        var o = n * Config.OutputWidth + head * valueSize;
        var (score, scoreGradient) = (0.0, 0.0);
        for (var i = 0; i < keySize; i++)
            score += (double)Projections[q + i] * Projections[k + i] * s;
        for (var i = 0; i < valueSize; i++)
        {
            scoreGradient += (double)OutputGradient[o + i] * Projections[v + i] * s;
            Output[o + i] += score * Projections[v + i];
            ValueGradient[m * Config.ValueWidth + source * valueSize + i] += score * OutputGradient[o + i];
        }

        for (var i = 0; i < keySize; i++)
        {
            QueryGradient[n * Config.QueryWidth + head * keySize + i] += scoreGradient * Projections[k + i];
            KeyGradient[m * Config.KeyWidth + source * keySize + i] += scoreGradient * Projections[q + i];
        }
    }
}
