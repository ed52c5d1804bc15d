using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Model;

/// <summary>The weights of a GGUF file, packed by the host and uploaded.</summary>
internal sealed unsafe class FileWeights(GgufFile file) : IWeightSource
{
    public string Name => file.Path;

    public bool Has(string tensorName) => file.TryGetTensor(tensorName, out _);

    public SourceMatrix Matrix(string tensorName)
    {
        var tensor = file.GetTensor(tensorName);
        return new(tensor.Name, tensor.Type.Type, (int)tensor.Rows, (int)tensor.RowLength);
    }

    public bool TryReadVector(string tensorName, Span<float> values)
    {
        if (!file.TryGetTensor(tensorName, out var tensor))
            return false;
        tensor.Type.Dequantize(file.Row(tensor, 0), values);
        return true;
    }

    public void Fill(Uploader uploader, IReadOnlyList<SourceMatrix> matrices, RowLayout layout, BufferPart weights, BufferPart? scales)
    {
        var (type, columns) = (matrices[0].Type, matrices[0].Columns);
        var tensors = matrices.Select(matrix => file.GetTensor(matrix.Name)).ToArray();
        FillRows(uploader, weights, layout, tensors, WeightPacker.RowBytes(type, columns), WeightPacker.QuadBytes, WeightPacker.PackWeights);
        if (scales is { } part)
            FillRows(uploader, part, layout, tensors, WeightPacker.RowScaleBytes(type, columns), WeightPacker.WordBytes, WeightPacker.PackScales);
    }

    /// <summary>The file is its owner's.</summary>
    public void Dispose()
    {
    }

    private delegate void PackRow(GgmlType type, ReadOnlySpan<byte> row, Span<byte> target, int stride);

    /// <summary>
    /// Packs rows group by group in parallel, chunk by chunk, so that the disk, the cores and the copy engine work at once. Rows of
    /// a group lie part by part: one of each row, then the next of each.
    /// </summary>
    private void FillRows(Uploader uploader, BufferPart part, RowLayout layout, GgufTensor[] tensors, int rowBytes, int partBytes, PackRow pack)
    {
        var groupBytes = rowBytes * layout.Interleave;
        var type = tensors[0].Type.Type;
        uploader.Write(part.Buffer, part.Offset, (ulong)layout.Groups * (ulong)groupBytes, (ulong)groupBytes, (target, start, length) =>
        {
            var first = (int)(start / (ulong)groupBytes);
            Parallel.For(0, (int)(length / (ulong)groupBytes), i => PackGroup(first + i, new Span<byte>((byte*)target + (long)i * groupBytes, groupBytes)));
        });

        void PackGroup(int group, Span<byte> target)
        {
            target.Clear();
            for (var slot = 0; slot < layout.Interleave; slot++)
                if (layout.RowAt(group, slot) is { } row)
                    pack(type, Row(tensors, row), target[(slot * partBytes)..], layout.Interleave);
        }
    }

    /// <summary>A row of several tensors taken together.</summary>
    private ReadOnlySpan<byte> Row(GgufTensor[] tensors, long row)
    {
        var at = 0;
        for (; row >= tensors[at].Rows; at++)
            row -= tensors[at].Rows;
        return file.Row(tensors[at], row);
    }
}
