using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Vulkan.Verification;

/// <summary>A random matrix as the device reads it, and what its weights are.</summary>
/// <param name="Quads">The weights, packed.</param>
/// <param name="Scales">Their scales; a word where the type has none.</param>
/// <param name="Values">The same weights, [rows][columns].</param>
internal sealed record CheckMatrix(byte[] Quads, byte[] Scales, float[][] Values)
{
    /// <summary>Rows of random weights, quantised and packed in groups of <paramref name="interleave"/>.</summary>
    public static CheckMatrix Create(BlockType type, int rows, int columns, int interleave, CheckRun run)
    {
        var rowBytes = WeightPacker.RowBytes(type.Type, columns);
        var scaleBytes = WeightPacker.RowScaleBytes(type.Type, columns);
        var quads = new byte[(rows + interleave - 1) / interleave * interleave * rowBytes];
        var scales = new byte[Math.Max(rows * scaleBytes, sizeof(uint))];
        var values = new float[rows][];
        var encoded = new byte[type.RowBytes(columns)];
        for (var row = 0; row < rows; row++)
        {
            type.Quantize(run.Values(columns), encoded);
            type.Dequantize(encoded, values[row] = new float[columns]);
            var group = quads.AsSpan(row / interleave * interleave * rowBytes, interleave * rowBytes);
            WeightPacker.PackWeights(type.Type, encoded, group[(row % interleave * WeightPacker.QuadBytes)..], interleave);
            if (scaleBytes > 0)
                WeightPacker.PackScales(type.Type, encoded, scales.AsSpan(row * scaleBytes, scaleBytes));
        }

        return new(quads, scales, values);
    }
}
