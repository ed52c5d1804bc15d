using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;

namespace RetNet.Vulkan.Tests.Training;

/// <summary>More tokens in a step than a device takes workgroups in a dispatch.</summary>
[Collection(TestDevices.Collection)]
public sealed class ManyRowsTests(TestDevices devices)
{
    private const int Rows = 70_001, Width = 4, Stride = 64, Vocabulary = 3;

    public static TheoryData<int> Devices => [.. TestDevices.All.Select(device => (int)device[0])];

    /// <summary>Token 2 is the last row's alone.</summary>
    private static int[] Tokens => [.. Enumerable.Range(0, Rows - 1).Select(row => row % 2), 2];

    [Theory]
    [MemberData(nameof(Devices))]
    public void EachAddsToItsTokensEmbedding(int index)
    {
        var device = devices[index];
        using var parameters = new ParameterSet(device, [new("embedding", [new("token_embd.weight", Rows, Width)])]);
        using var gradient = new EmbeddingGradient(device, parameters["token_embd.weight"], Rows);
        using var dx = Ones(device);
        // As many tokens as rows, each another.
        gradient.Set([.. Enumerable.Range(0, Rows).Select(row => Rows - 1 - row)]);
        device.Run("gradient", recorder => gradient.Record(recorder, dx.Address, Stride, 2));

        Assert.All(parameters.Read("token_embd.weight", ParameterKind.Gradient), value => Assert.Equal(2, value));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void EachHasALoss(int index)
    {
        var device = devices[index];
        using var parameters = new ParameterSet(device, [new("output", [new("output.weight", Vocabulary, Width)])]);
        using var products = new TrainingProducts(device);
        using var head = new LossHead(device, products, parameters["output.weight"], Rows);
        using var x = Ones(device);
        head.Set(Tokens, 1);
        // Weights of zero foretell every token alike.
        device.Run("loss", recorder => head.RecordLoss(recorder, x.Address, Stride));

        Assert.Equal(Rows * Math.Log(Vocabulary), head.ReadLoss(), 0.01);
    }

    private static GpuBuffer Ones(GpuDevice device)
    {
        var buffer = device.Allocate("ones", (ulong)Rows * Stride * sizeof(float));
        device.Write<float>(buffer, 0, Enumerable.Repeat(1f, Rows * Stride).ToArray());
        return buffer;
    }
}
