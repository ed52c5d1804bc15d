using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>Loss and gradients in blocks of rows against double precision.</summary>
[Collection(TestDevices.Collection)]
public sealed class LossHeadTests(TestDevices devices)
{
    private const int Rows = 37, Width = 60, Vocabulary = 101, Stride = 64;
    private const double Scale = 16;

    public static TheoryData<int, int> Blocks
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (var device in TestDevices.All)
                foreach (var rows in new[] { 8, Rows, 1000 })
                    data.Add((int)device[0], rows);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void LossAndGradientsAreThose(int index, int blockRows)
    {
        var device = devices[index];
        var random = new Random(3);
        using var parameters = new ParameterSet(device, [new("output", [new("output.weight", Vocabulary, Width)])]);
        var weights = Values(random, Vocabulary * Width);
        var gradients = Values(random, Vocabulary * Width);
        parameters.Write("output.weight", ParameterKind.Weight, weights);
        parameters.Write("output.weight", ParameterKind.Gradient, gradients);
        var x = Values(random, Rows * Stride).Select((value, i) => i % Stride < Width ? value : 0).ToArray();
        var targets = Enumerable.Range(0, Rows).Select(row => row % 7 == 3 ? LossHead.Ignored : random.Next(Vocabulary)).ToArray();
        using var products = new TrainingProducts(device);
        using var head = new LossHead(device, products, parameters["output.weight"], Rows, blockRows);
        using var input = device.Allocate("x", Rows * Stride * sizeof(float));
        using var output = device.Allocate("dx", Rows * Stride * sizeof(float));
        device.Write<float>(input, 0, x);
        head.Set(targets, Scale);
        device.Run("loss", recorder => head.RecordLoss(recorder, input.Address, Stride));
        var alone = head.ReadLoss();
        device.Run("gradients", recorder => head.RecordGradients(recorder, input.Address, output.Address, Stride));

        var (loss, dx, dw) = Expected(x, weights, targets, gradients);
        Assert.Equal(loss, head.ReadLoss(), loss * 1e-6);
        Assert.Equal(alone, head.ReadLoss());
        var result = new float[Rows * Stride];
        device.Read<float>(output, 0, result);
        Tolerance.Near(dx, [.. Enumerable.Range(0, Rows).SelectMany(row => result.Skip(row * Stride).Take(Width))], 1e-5);
        Tolerance.Near(dw, parameters.Read("output.weight", ParameterKind.Gradient), 1e-5);
    }

    [Fact]
    public void ATokenBeyondTheVocabularyIsRefused()
    {
        var device = devices[(int)TestDevices.All.First()[0]];
        using var parameters = new ParameterSet(device, [new("output", [new("output.weight", 5, 8)])]);
        using var products = new TrainingProducts(device);
        using var head = new LossHead(device, products, parameters["output.weight"], 2);
        Assert.Contains("token 5", Assert.Throws<ArgumentException>(() => head.Set([1, 5], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => head.Set([1, -2], 1));
        Assert.Throws<ArgumentException>(() => head.Set([1], 1));
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static (double Loss, double[] Dx, double[] Dw) Expected(float[] x, float[] weights, int[] targets, float[] gradients)
    {
        double loss = 0;
        var dx = new double[Rows * Width];
        var dw = gradients.Select(value => (double)value).ToArray();
        for (var row = 0; row < Rows; row++)
        {
            if (targets[row] == LossHead.Ignored)
                continue;
            var logits = Enumerable.Range(0, Vocabulary).Select(token => Enumerable.Range(0, Width).Sum(i => (double)x[(row * Stride) + i] * weights[(token * Width) + i])).ToArray();
            var sum = logits.Sum(Math.Exp);
            loss += Math.Log(sum) - logits[targets[row]];
            for (var token = 0; token < Vocabulary; token++)
            {
                var d = Scale * ((Math.Exp(logits[token]) / sum) - (token == targets[row] ? 1 : 0));
                for (var i = 0; i < Width; i++)
                {
                    dx[(row * Width) + i] += d * weights[(token * Width) + i];
                    dw[(token * Width) + i] += d * x[(row * Stride) + i];
                }
            }
        }

        return (loss, dx, dw);
    }
}
