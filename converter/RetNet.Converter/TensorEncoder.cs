using System.Buffers;
using System.Numerics.Tensors;
using RetNet.Vulkan.Gguf;

namespace RetNet.Converter;

/// <summary>Encodes a tensor's rows in parallel, a few megabytes at a time, and checks that every value survives.</summary>
internal static class TensorEncoder
{
    private const int ChunkBytes = 8 << 20;
    private const int TaskElements = 64 << 10;

    // bf16 rounds this and everything above to infinity: the largest finite bf16 and half a step.
    private static readonly float BF16Overflow = BitConverter.UInt32BitsToSingle(0x7F7F_8000);

    /// <summary>Encodes <paramref name="planned"/> and gives its bytes to <paramref name="write"/> in order.</summary>
    /// <exception cref="ConverterException">A value is not finite, or not in the type it is written in.</exception>
    public static void Encode(PlannedTensor planned, Action<ReadOnlyMemory<byte>> write, CancellationToken cancellation)
    {
        long rows = planned.Tensor.Rows;
        int rowBytes = checked((int)planned.Type.RowBytes(planned.Tensor.RowLength));
        int rowsPerChunk = (int)Math.Min(rows, Math.Max(1, ChunkBytes / rowBytes));
        byte[] chunk = ArrayPool<byte>.Shared.Rent(rowsPerChunk * rowBytes);
        try
        {
            for (long first = 0; first < rows; first += rowsPerChunk)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = (int)Math.Min(rowsPerChunk, rows - first);
                EncodeRows(planned, first, count, chunk, rowBytes);
                write(chunk.AsMemory(0, count * rowBytes));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static void EncodeRows(PlannedTensor planned, long first, int count, byte[] destination, int rowBytes)
    {
        int length = planned.Tensor.RowLength;
        int rowsPerTask = Math.Max(1, TaskElements / length);
        long badRow = long.MaxValue;
        Parallel.For(0, (count + rowsPerTask - 1) / rowsPerTask, task =>
        {
            float[] row = ArrayPool<float>.Shared.Rent(length);
            for (int i = task * rowsPerTask; i < Math.Min(count, (task + 1) * rowsPerTask); i++)
            {
                Span<float> values = row.AsSpan(0, length);
                planned.Tensor.Source.Read((first + i) * length, values);
                if (Fits(planned.Type, TensorPrimitives.MaxMagnitude(values)))
                    planned.Type.Quantize(values, destination.AsSpan(i * rowBytes, rowBytes));
                else
                    LowerTo(ref badRow, first + i);
            }

            ArrayPool<float>.Shared.Return(row);
        });
        if (badRow != long.MaxValue)
            throw Misfit(planned, badRow);
    }

    // NaN anywhere makes the magnitude NaN.
    private static bool Fits(BlockType type, float magnitude) => float.IsFinite(magnitude) && type.Type switch
    {
        GgmlType.F16 => Half.IsFinite((Half)magnitude),
        GgmlType.BF16 => magnitude < BF16Overflow,
        GgmlType.Q8_0 => Half.IsFinite((Half)(magnitude / 127)),
        GgmlType.Q4_0 => Half.IsFinite((Half)(magnitude / 8)),
        // The scale is searched for; least squares never takes it beyond this.
        GgmlType.IQ4_NL => Half.IsFinite((Half)(magnitude / 100)),
        _ => true,
    };

    private static ConverterException Misfit(PlannedTensor planned, long row)
    {
        CheckpointTensor source = planned.Tensor.Source;
        var values = new float[planned.Tensor.RowLength];
        source.Read(row * values.Length, values);
        float magnitude = TensorPrimitives.MaxMagnitude(values);
        return new(source.Path, float.IsFinite(magnitude)
            ? $"tensor '{source.Name}' holds {magnitude} in row {row}, too large for {planned.Type}; convert to bf16 or f32"
            : $"tensor '{source.Name}' holds {(float.IsNaN(magnitude) ? "NaN" : "infinity")} in row {row}; the checkpoint is damaged or its training diverged");
    }

    private static void LowerTo(ref long target, long value)
    {
        long seen = Volatile.Read(ref target);
        while (value < seen)
        {
            long before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}
