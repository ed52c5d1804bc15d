using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Model;

/// <summary>
/// From ggml's rows to the device's: rows padded to whole quads of 16 bytes and interleaved, block types split into their
/// quants and their scales so that both are read aligned (shaders/include/weights.glsl).
/// </summary>
internal static class WeightPacker
{
    public const int QuadBytes = 16;
    public const int WordBytes = 4;
    private const int BlockLength = 32;
    private const int ScaleBytes = 2;

    /// <summary>Bytes of a row's weights on the device.</summary>
    public static int RowBytes(GgmlType type, int columns) => DeviceMatrix.RunsOf(type, columns) * QuadBytes;

    /// <summary>Bytes of a row's scales on the device: whole words.</summary>
    public static int RowScaleBytes(GgmlType type, int columns) => IsScaled(type) ? WeightStore.PaddedLength(columns) / BlockLength * ScaleBytes : 0;

    /// <summary>Writes one row's weights, a quad every <paramref name="stride"/> quads.</summary>
    public static void PackWeights(GgmlType type, ReadOnlySpan<byte> row, Span<byte> destination, int stride)
    {
        var (scale, block) = IsScaled(type) ? (ScaleBytes, BlockType.Of(type).Bytes) : (0, stride == 1 ? row.Length : QuadBytes);
        var piece = stride == 1 ? block - scale : QuadBytes;
        while (!row.IsEmpty)
        {
            var weights = row[scale..Math.Min(block, row.Length)];
            row = row[Math.Min(block, row.Length)..];
            for (; !weights.IsEmpty; weights = weights[Math.Min(piece, weights.Length)..])
            {
                var length = Math.Min(piece, weights.Length);
                var padded = (length + QuadBytes - 1) / QuadBytes * QuadBytes;
                weights[..length].CopyTo(destination);
                destination[length..padded].Clear();
                destination = destination[Math.Min(padded * stride, destination.Length)..];
            }
        }
    }

    /// <summary>Writes one row's scales, a word of two every <paramref name="stride"/> words.</summary>
    public static void PackScales(GgmlType type, ReadOnlySpan<byte> row, Span<byte> destination, int stride)
    {
        var block = BlockType.Of(type).Bytes;
        for (var i = 0; i < row.Length / block; i++)
            row.Slice(i * block, ScaleBytes).CopyTo(destination[(i / 2 * 2 * stride * ScaleBytes + i % 2 * ScaleBytes)..]);
    }

    private static bool IsScaled(GgmlType type) => BlockType.Of(type).IsQuantized;
}
