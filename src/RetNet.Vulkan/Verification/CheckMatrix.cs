using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>A random matrix as the device reads it, and what its weights are.</summary>
/// <param name="Quads">The weights, packed.</param>
/// <param name="Scales">Their scales; a word where the type has none.</param>
/// <param name="Values">The same weights, [rows][columns].</param>
internal sealed record CheckMatrix(byte[] Quads, byte[] Scales, float[][] Values)
{
    /// <summary>Rows of random weights, quantised and laid out.</summary>
    public static CheckMatrix Create(BlockType type, RowLayout layout, int columns, CheckRun run)
    {
        var (rowBytes, scaleBytes) = (WeightPacker.RowBytes(type.Type, columns), WeightPacker.RowScaleBytes(type.Type, columns));
        var quads = new byte[layout.Groups * layout.Interleave * rowBytes];
        var scales = new byte[Math.Max(layout.Groups * layout.Interleave * scaleBytes, sizeof(uint))];
        var values = new float[layout.Rows][];
        var encoded = new byte[type.RowBytes(columns)];
        for (var group = 0; group < layout.Groups; group++)
            for (var slot = 0; slot < layout.Interleave; slot++)
                if (layout.RowAt(group, slot) is { } row)
                {
                    type.Quantize(run.Values(columns), encoded);
                    type.Dequantize(encoded, values[row] = new float[columns]);
                    WeightPacker.PackWeights(type.Type, encoded, Slot(quads, rowBytes, WeightPacker.QuadBytes), layout.Interleave);
                    if (scaleBytes > 0)
                        WeightPacker.PackScales(type.Type, encoded, Slot(scales, scaleBytes, WeightPacker.WordBytes), layout.Interleave);

                    Span<byte> Slot(byte[] parts, int bytes, int partBytes) =>
                        parts.AsSpan(group * layout.Interleave * bytes, layout.Interleave * bytes)[(slot * partBytes)..];
                }

        return new(quads, scales, values);
    }
}
