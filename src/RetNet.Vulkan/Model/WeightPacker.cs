using RetNet.Vulkan.Gguf;

namespace RetNet.Vulkan.Model;

/// <summary>
/// From ggml's rows to the device's: rows padded to whole quads of 16 bytes, block types split into their quants and
/// their scales so that both are read aligned (shaders/include/weights.glsl).
/// </summary>
internal static unsafe class WeightPacker
{
    private const int BlockLength = 32;
    private const int ScaleBytes = 2;

    /// <summary>Bytes of a row's weights on the device.</summary>
    public static int RowBytes(GgmlType type, int columns) => DeviceMatrix.RunsOf(type, columns) * 16;

    /// <summary>Bytes of a row's scales on the device: whole words.</summary>
    public static int RowScaleBytes(GgmlType type, int columns) => IsScaled(type) ? (columns / BlockLength + 1) / 2 * 2 * ScaleBytes : 0;

    /// <summary>Writes one row's weights: <see cref="RowBytes"/> bytes.</summary>
    public static void PackWeights(GgmlType type, ReadOnlySpan<byte> row, byte* destination, int bytes)
    {
        var target = new Span<byte>(destination, bytes);
        if (!IsScaled(type))
        {
            row.CopyTo(target);
            target[row.Length..].Clear();
            return;
        }

        var block = BlockType.Of(type).Bytes;
        var quants = block - ScaleBytes;
        for (; !row.IsEmpty; row = row[block..], target = target[quants..])
            row.Slice(ScaleBytes, quants).CopyTo(target);
    }

    /// <summary>Writes one row's scales: <see cref="RowScaleBytes"/> bytes.</summary>
    public static void PackScales(GgmlType type, ReadOnlySpan<byte> row, byte* destination, int bytes)
    {
        var target = new Span<byte>(destination, bytes);
        for (var block = BlockType.Of(type).Bytes; !row.IsEmpty; row = row[block..], target = target[ScaleBytes..])
            row[..ScaleBytes].CopyTo(target);
        target.Clear();
    }

    private static bool IsScaled(GgmlType type) => BlockType.Of(type).IsQuantized;
}
