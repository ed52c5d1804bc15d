using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Retention and its three gradients against their plain sums in double precision.</summary>
[Collection(TestDevices.Collection)]
public sealed class TrainingRetentionTests(TestDevices devices)
{
    private const int Sequences = 3;
    private const double Allowed = 1e-5;

    private static readonly RetNetConfig[] Shapes =
    [
        RandomModel.Shape(1, 30, heads: 3, keySize: 10, valueSize: 13, feedForward: 5, vocabulary: 3),
        RandomModel.Shape(1, 24, heads: 4, keySize: 6, valueSize: 22, feedForward: 5, vocabulary: 3) with { KeyValueHeads = 2 },
        RandomModel.Shape(1, 32, heads: 1, keySize: 34, valueSize: 54, feedForward: 5, vocabulary: 3) with { Decay = [1] },
    ];

    public static TheoryData<int, int, int> Cases
    {
        get
        {
            var data = new TheoryData<int, int, int>();
            foreach (var device in TestDevices.All)
                for (var shape = 0; shape < Shapes.Length; shape++)
                    foreach (var length in new[] { 5, 64, 65, 150 })
                        data.Add((int)device[0], shape, length);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EqualsThePlainSums(int device, int shape, int length)
    {
        var sums = new PlainRetention(Shapes[shape], Sequences, length);
        foreach (var chunkLength in new[] { 16, 64, length })
        {
            var (output, gradients) = Run(devices[device], sums, chunkLength);

            RetNet.Tests.Tolerance.Near(sums.Output, output, Allowed);
            RetNet.Tests.Tolerance.Near(sums.QueryGradient, sums.Part(gradients, 0, sums.Config.QueryWidth), Allowed);
            RetNet.Tests.Tolerance.Near(sums.KeyGradient, sums.Part(gradients, sums.Config.QueryWidth, sums.Config.KeyWidth), Allowed);
            RetNet.Tests.Tolerance.Near(sums.ValueGradient, sums.Part(gradients, sums.Config.QueryWidth + sums.Config.KeyWidth, sums.Config.ValueWidth), Allowed);
        }
    }

    private static (float[] Output, float[] Gradients) Run(GpuDevice device, PlainRetention sums, int chunkLength)
    {
        var config = sums.Config;
        var tuning = Tuning.For(device.Capabilities).ForValues(config.ValueSize);
        var (rows, width) = (sums.Rows, sums.Width);
        var chunks = Sequences * ((sums.Length + chunkLength - 1) / chunkLength);
        using var tables = new PassTables(device, rows, tuning.QueryTile);
        using var retention = new TrainingRetention(device, config, tuning, sums.Length, Math.Min(chunkLength, sums.Length), sumScores: false);
        using var projections = Buffer(width, sums.Projections);
        using var output = Buffer(config.OutputWidth);
        using var outputGradient = Buffer(config.OutputWidth, sums.OutputGradient);
        using var gradients = Buffer(width);
        using var headGradients = Buffer(Math.Max(TrainingRetention.HeadGradientWidth(config), 1));
        using var chunkStates = device.Allocate("chunk states", (ulong)TrainingRetention.StateFloats(config, chunks) * sizeof(float));
        using var decay = device.Allocate("decay", (ulong)config.Heads * 2 * sizeof(float));
        device.Write<float>(decay, 0, RetNetModel.DecayTable(config.Decay));
        var shape = tables.Write([.. Enumerable.Range(0, Sequences).Select(i => new Segment(i, 0, new int[sums.Length]))], chunkLength);
        var about = new RetentionRows { Shape = shape, Segments = tables.Segments, QueryTiles = tables.QueryTiles, Decay = decay.Address, ChunkStates = chunkStates.Address };
        device.Run("retention", recorder =>
        {
            tables.RecordUpload(recorder);
            recorder.Barrier();
            retention.RecordForward(recorder, new(projections.Address, width), new(output.Address, config.OutputWidth), about);
            retention.RecordBackward(
                recorder, new(projections.Address, width), new(outputGradient.Address, config.OutputWidth), new(gradients.Address, width),
                new(headGradients.Address, Math.Max(TrainingRetention.HeadGradientWidth(config), 1)), about);
        });
        return (Read(output), Read(gradients));

        GpuBuffer Buffer(int columns, float[]? values = null)
        {
            var buffer = device.Allocate("rows", (ulong)rows * (ulong)columns * sizeof(float));
            if (values is not null)
                device.Write<float>(buffer, 0, values);
            return buffer;
        }

        float[] Read(GpuBuffer buffer)
        {
            var values = new float[buffer.Bytes / sizeof(float)];
            device.Read(buffer, 0, values.AsSpan());
            return values;
        }
    }
}
