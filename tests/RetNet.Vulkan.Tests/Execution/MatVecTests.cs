using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Tests.Gpu;

namespace RetNet.Vulkan.Tests.Execution;

/// <summary>Both matrix-vector kernels alone, over odd sizes, with a sentinel behind their output.</summary>
[Collection(TestDevices.Collection)]
public sealed class MatVecTests(TestDevices devices)
{
    private const uint Sentinel = 0xDEADBEEF;
    private const float Eps = 1e-3f;
    private const float ResidualScale = 0.7f;
    private const int Heads = 3;

    private enum Input : uint
    {
        Plain,
        Rms,
        Heads,
    }

    private enum Output : uint
    {
        Store,
        Add,
        Glu,
        Activate,
    }

    public static TheoryData<int, string, string> Kernels
    {
        get
        {
            var data = new TheoryData<int, string, string>();
            foreach (var device in TestDevices.All)
                foreach (var kernel in Runnable((int)device[0]))
                    foreach (var type in BlockType.All)
                        data.Add((int)device[0], $"{kernel}_{type.Name}", type.Name);
            return data;
        }
    }

    private static string[] Runnable(int device) => TestDevices.Gpu(device).Capabilities is { Int64: true, SubgroupBroadcast: true, SubgroupSize: >= 4 and <= 16 }
        ? ["matvec_subgroup", "matvec_lane"]
        : ["matvec_subgroup"];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void EqualsTheProductInDouble(int device, string variant, string typeName)
    {
        var type = BlockType.Find(typeName)!;
        var random = new Random(7);
        // (rows, blocks a head, subgroups a workgroup, rows at once); each with some of the ways in and out.
        (int, int, uint, uint)[] shapes = [(2, 1, 1, 1), (7, 3, 2, 2), (33, 5, 1, 4), (65, 13, 4, 1), (34, 2, 2, 4)];
        var next = 0;
        foreach (var input in Enum.GetValues<Input>())
            foreach (var output in Enum.GetValues<Output>())
            {
                var (rows, units, subgroups, rowsAtOnce) = shapes[next++ % shapes.Length];
                // Heads of any size for plain types, so that a quad spans two of them.
                var columns = Heads * type.Length * units;
                var halves = output == Output.Glu ? 2u : 1;
                var lanes = devices[device].Capabilities.SubgroupSize;
                var interleave = variant.Contains("lane", StringComparison.Ordinal) ? halves * rowsAtOnce * lanes : 1;
                var shape = new Shape(new RowLayout((int)halves * rows, (int)interleave, (int)halves), columns, subgroups * lanes, rowsAtOnce);
                Check(devices[device], variant, type, shape, input, output, new Batch(1, 1, false), random);
                if (input != Input.Heads)
                    Check(devices[device], variant, type, shape, input, output, new Batch(7, 4, true), random);
            }
    }

    private readonly record struct Shape(RowLayout Layout, int Columns, uint Threads, uint RowsAtOnce);

    private readonly record struct Batch(int Tokens, uint AtOnce, bool Biased);

    private static void Check(GpuDevice device, string variant, BlockType type, Shape shape, Input input, Output output, Batch batch, Random random)
    {
        var (layout, columns) = (shape.Layout, shape.Columns);
        var (rows, matrixRows) = (layout.Rows / layout.Halves, layout.Rows);
        var (packed, scales, weights) = RandomMatrix(type, layout, columns, random);
        var padded = WeightStore.PaddedLength(columns) + 64;
        var x = Enumerable.Range(0, batch.Tokens).Select(_ => Padded(columns, padded, random)).ToArray();
        var norm = Padded(columns, padded, random);
        var bias = Padded(matrixRows, matrixRows, random);
        // Rows of the output lie apart; what is between them and behind the last one must stay as it is.
        var yStride = rows + 3;
        var before = Enumerable.Range(0, batch.Tokens).Select(_ => Padded(rows, rows, random)).ToArray();
        var headSquares = Enumerable.Range(0, 2 * Heads).Select(_ => random.NextSingle() + 0.1f).ToArray();
        using var buffers = new Buffers(device);
        var y = buffers.Add([.. before.SelectMany(row => row.Concat(Enumerable.Repeat(BitConverter.UInt32BitsToSingle(Sentinel), yStride - rows)))]);
        var arguments = new MatVecArguments
        {
            Weights = buffers.Add(packed).Address,
            Scales = buffers.Add(scales).Address,
            X = buffers.Add([.. x.SelectMany(row => row)]).Address,
            NormWeight = buffers.Add(norm).Address,
            HeadSquares = buffers.Add(headSquares).Address,
            Y = y.Address,
            Bias = buffers.Add(bias).Address,
            Rows = (uint)rows,
            Runs = (uint)DeviceMatrix.RunsOf(type.Type, columns),
            Columns = (uint)columns,
            Tokens = (uint)batch.Tokens,
            XVectors = (uint)padded / 4,
            YStride = (uint)yStride,
            HeadTiles = 2,
            Eps = Eps,
            ResidualScale = ResidualScale,
        };
        using var kernel = new Kernel<MatVecArguments>(
            device, variant, shape.Threads, device.Capabilities.SubgroupSize, (uint)layout.Interleave, shape.RowsAtOnce, (uint)input, (uint)output,
            (uint)Activation.Silu, Heads, (uint)(columns / Heads), batch.AtOnce, batch.Biased ? 1u : 0u);
        device.Run("matvec", recorder => recorder.Dispatch(kernel, arguments, 2, ((uint)batch.Tokens + batch.AtOnce - 1) / batch.AtOnce));

        var written = new float[batch.Tokens * yStride];
        device.Read(y, 0, written.AsSpan());
        var (expected, actual) = (new List<double>(), new List<float>());
        for (var token = 0; token < batch.Tokens; token++)
        {
            var result = written.AsSpan(token * yStride, yStride);
            Assert.All(result[rows..].ToArray(), value => Assert.Equal(Sentinel, BitConverter.SingleToUInt32Bits(value)));
            expected.AddRange(Expected(weights, batch.Biased ? bias : new float[matrixRows], rows, Transform(x[token], norm, headSquares, columns, input), before[token], output));
            actual.AddRange(result[..rows]);
        }

        Tolerance.Near(expected.ToArray(), actual.ToArray(), 3e-6);
    }

    private static double[] Transform(float[] x, float[] norm, float[] headSquares, int columns, Input input)
    {
        var rms = 1 / Math.Sqrt(x.Sum(v => (double)v * v) / columns + Eps);
        var headSize = columns / Heads;
        return [.. Enumerable.Range(0, columns).Select(c => input switch
        {
            Input.Rms => x[c] * norm[c] * rms,
            Input.Heads => x[c] / Math.Sqrt(((double)headSquares[c / headSize * 2] + headSquares[c / headSize * 2 + 1]) / headSize),
            _ => x[c],
        })];
    }

    private static double[] Expected(float[][] weights, float[] bias, int rows, double[] x, float[] before, Output output)
    {
        double Row(int row) => weights[row].Zip(x, (w, v) => w * v).Sum() + bias[row];
        double Activated(int row) => Row(row) / (1 + Math.Exp(-Row(row)));
        return [.. Enumerable.Range(0, rows).Select(row => output switch
        {
            Output.Add => Row(row) + ResidualScale * before[row],
            Output.Glu => Activated(row) * Row(rows + row),
            Output.Activate => Activated(row),
            _ => Row(row),
        })];
    }

    private static (byte[] Packed, byte[] Scales, float[][] Weights) RandomMatrix(BlockType type, RowLayout layout, int columns, Random random)
    {
        var (rowBytes, scaleBytes) = (WeightPacker.RowBytes(type.Type, columns), WeightPacker.RowScaleBytes(type.Type, columns));
        var packed = new byte[layout.Groups * layout.Interleave * rowBytes];
        var scales = new byte[Math.Max(layout.Groups * layout.Interleave * scaleBytes, 4)];
        var weights = new float[layout.Rows][];
        var encoded = new byte[type.RowBytes(columns)];
        for (var group = 0; group < layout.Groups; group++)
            for (var slot = 0; slot < layout.Interleave; slot++)
                if (layout.RowAt(group, slot) is { } row)
                {
                    type.Quantize(Padded(columns, columns, random), encoded);
                    type.Dequantize(encoded, weights[row] = new float[columns]);
                    WeightPacker.PackWeights(type.Type, encoded, Slot(packed, rowBytes, WeightPacker.QuadBytes), layout.Interleave);
                    if (scaleBytes > 0)
                        WeightPacker.PackScales(type.Type, encoded, Slot(scales, scaleBytes, WeightPacker.WordBytes), layout.Interleave);

                    Span<byte> Slot(byte[] parts, int bytes, int partBytes) =>
                        parts.AsSpan(group * layout.Interleave * bytes, layout.Interleave * bytes)[(slot * partBytes)..];
                }

        return (packed, scales, weights);
    }

    private static float[] Padded(int length, int padded, Random random)
    {
        var values = new float[padded];
        for (var i = 0; i < length; i++)
            values[i] = random.NextSingle() * 2 - 1;
        return values;
    }
}
