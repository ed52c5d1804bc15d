using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training.Arguments;

namespace RetNet.Vulkan.Training;

/// <summary>Adds the gradient of embedded tokens to that of the embedding, always in the same order (shaders/training/embedding_gradient.comp).</summary>
internal sealed class EmbeddingGradient : IDisposable
{
    private const int EntryWords = 3;

    private readonly GpuDevice _device;
    private readonly ParameterTensor _embedding;
    private readonly int _rows;
    private readonly GpuBuffer _table;
    private readonly uint _threads;
    private readonly Kernel<EmbeddingGradientArguments> _kernel;

    /// <param name="device">The device; must outlive this.</param>
    /// <param name="embedding">The embedding, trained; tied or not.</param>
    /// <param name="rows">Tokens of a step.</param>
    public EmbeddingGradient(GpuDevice device, ParameterTensor embedding, int rows)
    {
        (_device, _embedding, _rows) = (device, embedding, rows);
        _table = device.Allocate("tokens by row", (ulong)rows * (EntryWords + 1) * sizeof(uint), MemoryPlacement.Upload);
        _threads = Math.Min(Tuning.For(device.Capabilities).RowThreads, 64);
        _kernel = new(device, "embedding_gradient", _threads);
    }

    /// <summary>Sets the tokens of the next submission, one a row; nothing of an earlier one may still run.</summary>
    /// <exception cref="ArgumentException">There are more or fewer tokens than rows, or one is none.</exception>
    public void Set(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length != _rows)
            throw new ArgumentException($"{tokens.Length} tokens for {_rows} rows", nameof(tokens));
        foreach (var token in tokens)
            if ((uint)token >= (uint)_embedding.Rows)
                throw new ArgumentException($"token {token} is none of a vocabulary of {_embedding.Rows}", nameof(tokens));
        Sort(tokens, _table.AsSpan<uint>()[..(EntryWords * _rows)], _table.AsSpan<uint>().Slice(EntryWords * _rows, _rows));
    }

    /// <summary>Records dE[token] += scale · Σ dx over its rows.</summary>
    /// <param name="recorder">Where to.</param>
    /// <param name="dx">Device address of dx, [rows][<paramref name="stride"/>].</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="scale">The factor on embeddings.</param>
    public void Record(Recorder recorder, ulong dx, int stride, float scale)
    {
        foreach (var (first, count) in RowBlocks.Of(_device, _rows))
            recorder.Dispatch(_kernel, new EmbeddingGradientArguments
            {
                Gradient = _embedding.Gradient,
                Dx = dx,
                Entries = _table.Address + ((ulong)first * EntryWords * sizeof(uint)),
                Order = _table.Address + ((ulong)_rows * EntryWords * sizeof(uint)),
                Columns = (uint)_embedding.Columns,
                Stride = (uint)_embedding.Stride,
                DxStride = (uint)stride,
                Scale = scale,
            }, count, ((uint)_embedding.Columns + _threads - 1) / _threads);
    }

    /// <summary>Rows by token: entries of (token, first place in the order, rows), empty ones behind them.</summary>
    /// <param name="tokens">Tokens, one a row.</param>
    /// <param name="entries">Three words for each token that there may be: as many as rows.</param>
    /// <param name="order">The rows in the order of their tokens.</param>
    internal static void Sort(ReadOnlySpan<int> tokens, Span<uint> entries, Span<uint> order)
    {
        var keys = tokens.ToArray();
        var rows = Enumerable.Range(0, keys.Length).Select(row => (uint)row).ToArray();
        // By token, then by row: keys that are equal must not change places.
        Array.Sort(rows, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        entries.Clear();
        var used = -EntryWords;
        for (var i = 0; i < rows.Length; i++)
        {
            order[i] = rows[i];
            var token = (uint)keys[rows[i]];
            if (i == 0 || entries[used] != token)
            {
                used += EntryWords;
                (entries[used], entries[used + 1]) = (token, (uint)i);
            }

            entries[used + 2]++;
        }
    }

    public void Dispose()
    {
        _kernel.Dispose();
        _table.Dispose();
    }
}
