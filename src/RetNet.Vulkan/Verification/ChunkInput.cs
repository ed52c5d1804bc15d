using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Verification;

/// <summary>Random queries, keys and values of some rows, as a pass of many tokens lays them out, and their retention in double.</summary>
internal sealed class ChunkInput
{
    private readonly int _heads;
    private readonly int _group;
    private readonly int _keySize;
    private readonly int _valueSize;
    private readonly int _elementBytes;
    private readonly int _queryGroup;
    private readonly bool _reverse;

    /// <param name="run">The check.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="group">Heads that share keys and values.</param>
    /// <param name="keySize">dk.</param>
    /// <param name="valueSize">dv.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="halves">Whether they are f16, and rows whole quads of them.</param>
    /// <param name="queryGroup">Heads that share queries.</param>
    /// <param name="reverse">Whether time runs backwards, from a piece's last row to its first.</param>
    public ChunkInput(CheckRun run, int heads, int group, int keySize, int valueSize, int rows, bool halves = false, int queryGroup = 1, bool reverse = false)
    {
        (_queryGroup, _reverse) = (queryGroup, reverse);
        (_heads, _group, _keySize, _valueSize, _elementBytes) = (heads, group, keySize, valueSize, halves ? 2 : sizeof(float));
        // Odd only where the values are: kernels that load pairs are used where they are not.
        Stride = heads * keySize + heads / group * (keySize + valueSize) + (halves ? 8 : valueSize % 2 == 0 ? 6 : 5);
        Projections = run.Values(rows * Stride);
        for (var i = 0; halves && i < Projections.Length; i++)
            Projections[i] = (float)(Half)Projections[i];
        Decay = CheckDecay.Of(heads);
    }

    /// <summary>Queries, keys and values of each row, rotated already, [rows][<see cref="Stride"/>].</summary>
    public float[] Projections { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>γ of each head.</summary>
    public float[] Decay { get; }

    /// <summary>Bytes from a row's queries to its keys.</summary>
    public ulong KeysOffset => (ulong)(_heads * _keySize * _elementBytes);

    /// <summary>Bytes from a row's queries to its values.</summary>
    public ulong ValuesOffset => KeysOffset + (ulong)(_heads / _group * _keySize * _elementBytes);

    /// <summary>The projections as f16.</summary>
    public Half[] Halves => [.. Projections.Select(value => (Half)value)];

    private int PaddedWidth => (_valueSize + 3) / 4 * 4;

    /// <summary>A random state, [heads][dk][⌈dv/4⌉·4], its padding zero.</summary>
    public float[] State(CheckRun run) =>
        [.. Enumerable.Range(0, _heads * _keySize).SelectMany(_ => run.Values(_valueSize, PaddedWidth))];

    /// <summary>Moves a state on over rows that are one chunk, by the chunkwise form.</summary>
    /// <returns>Retention of these rows, [rows][heads · dv].</returns>
    public double[] Advance(Span<double> state, int first, int rows)
    {
        var result = new double[rows * _heads * _valueSize];
        for (var head = 0; head < _heads; head++)
        {
            var own = new double[_keySize * _valueSize];
            for (var i = 0; i < own.Length; i++)
                own[i] = state[Padded(head, i)];
            var o = new double[rows * _valueSize];
            ChunkwiseRetention.Apply(Head(head, first, rows), own, o);
            for (var i = 0; i < own.Length; i++)
                state[Padded(head, i)] = own[i];
            for (var row = 0; row < rows; row++)
                o.AsSpan(row * _valueSize, _valueSize).CopyTo(result.AsSpan(((_reverse ? rows - 1 - row : row) * _heads + head) * _valueSize));
        }

        return result;
    }

    /// <summary>What retention of one head reads over some rows.</summary>
    public RetentionHead Head(int head, int first, int rows) => new()
    {
        Decay = Decay[head],
        KeySize = _keySize,
        ValueSize = _valueSize,
        Queries = Part(head / _queryGroup * _keySize, _keySize, first, rows),
        Keys = Part(_heads * _keySize + head / _group * _keySize, _keySize, first, rows),
        Values = Part((_heads + _heads / _group) * _keySize + head / _group * _valueSize, _valueSize, first, rows),
    };

    private int Padded(int head, int i) => (head * _keySize + i / _valueSize) * PaddedWidth + i % _valueSize;

    private double[] Part(int column, int width, int first, int rows)
    {
        var part = new double[rows * width];
        for (var i = 0; i < part.Length; i++)
            part[i] = Projections[(first + (_reverse ? rows - 1 - i / width : i / width)) * Stride + column + i % width];
        return part;
    }
}
