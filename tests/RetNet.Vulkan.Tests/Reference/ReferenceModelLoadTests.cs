using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Reference;

namespace RetNet.Vulkan.Tests.Reference;

public sealed class ReferenceModelLoadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_read_from_gguf_computes_the_same()
    {
        var model = Model(width: 15, feedForward: 23);
        var loaded = Load(model, BlockType.Of(GgmlType.F32));
        Assert.Equal(model.Config.Decay, loaded.Config.Decay);
        var tokens = model.Tokens(9, seed: 1);
        Assert.Equal(model.Reference.Recurrent(tokens), loaded.Recurrent(tokens));
    }

    [Theory]
    [InlineData(GgmlType.F16)]
    [InlineData(GgmlType.Q8_0)]
    [InlineData(GgmlType.Q4_0)]
    [InlineData(GgmlType.IQ4_NL)]
    public void Matrices_are_dequantised(GgmlType type)
    {
        var model = Model(width: 64, feedForward: 96);
        var block = BlockType.Of(type);
        var rounded = new ReferenceModel(model.Config, name => RoundTrip(model, name, block));
        var tokens = model.Tokens(9, seed: 2);
        var logits = Load(model, block).Recurrent(tokens);
        Assert.Equal(rounded.Recurrent(tokens), logits);
        Assert.NotEqual(model.Reference.Recurrent(tokens), logits);
    }

    [Fact]
    public void An_incomplete_file_is_refused()
    {
        var model = Model(width: 15, feedForward: 23);
        var error = Assert.Throws<GgufException>(() => Load(model, BlockType.Of(GgmlType.F32), leaveOut: "blk.0.ffn_down.weight"));
        Assert.Contains("blk.0.ffn_down.weight", error.Message, StringComparison.Ordinal);
    }

    private static RandomModel Model(int width, int feedForward) =>
        new(RandomModel.Shape(1, width, 2, 4, 32, feedForward, 31), seed: 7, name => name.Contains("sub_norm", StringComparison.Ordinal));

    private static float[]? RoundTrip(RandomModel model, string name, BlockType block)
    {
        if (model.Tensor(name) is not { } values || name.Contains("norm", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal))
            return model.Tensor(name);
        var bytes = new byte[block.RowBytes(values.Length)];
        block.Quantize(values, bytes);
        var rounded = new float[values.Length];
        block.Dequantize(bytes, rounded);
        return rounded;
    }

    private ReferenceModel Load(RandomModel model, BlockType matrices, string? leaveOut = null)
    {
        var path = _folder.File("model.gguf");
        Write(model, path, matrices, leaveOut);
        using var file = GgufFile.Open(path);
        return ReferenceModel.Load(file);
    }

    private static void Write(RandomModel model, string path, BlockType matrices, string? leaveOut)
    {
        using var writer = GgufWriter.Create(path);
        RetNetGguf.WriteConfig(writer, model.Config);
        List<(GgufTensor Tensor, float[] Values)> tensors = [];
        foreach (var shape in TensorShapes.Of(model.Config).Where(shape => shape.Name != leaveOut))
        {
            var block = shape.IsMatrix ? matrices : BlockType.Of(GgmlType.F32);
            if (model.Tensor(shape.Name) is { } values)
                tensors.Add((writer.AddTensor(shape.Name, block, shape.Dimensions), values));
        }

        foreach (var (tensor, values) in tensors)
        {
            var bytes = new byte[tensor.Bytes];
            tensor.Type.Quantize(values, bytes);
            writer.Write(tensor, bytes);
        }

        writer.Complete();
    }
}
