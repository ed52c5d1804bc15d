using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>How fast a device multiplies a square matrix of f16 weights with many tokens, by the kernels that prefill uses.</summary>
internal static class ProductSpeed
{
    private const int Runs = 5;

    /// <summary>Floating-point operations a second, the best run, and the product's shape.</summary>
    public static (double FlopsPerSecond, string Shape) Measure(GpuDevice device)
    {
        var (width, tokens) = device.Capabilities.Kind == DeviceKind.Cpu ? (1024, 256) : (4096, 2048);
        // The output projection of a model that has hardly anything else.
        var config = ModelShape.Parse(FormattableString.Invariant($"{width},1,1,64,64,64,{width}")).Config;
        using var model = RetNetModel.Random(device, config, GgmlType.F16, new MemoryPlan());
        using var activations = new Activations(device, config, headTiles: 0, tokens, tokens);
        using var network = new Network(model, activations, Tuning.For(device.Capabilities), finishesHeadNorm: false);
        using (var filler = new RandomFiller(device))
            filler.Fill(activations.Normed, (ulong)tokens * (ulong)activations.WidthStride * sizeof(float), RandomFormat.F32(-1), seed: 1);
        using var recording = device.Record("product", recorder => network.RecordLogits(recorder, 0, tokens));
        var seconds = Enumerable.Range(0, Runs + 1).Select(_ => CopySpeed.Seconds(device, recording)).Skip(1).Min();
        return (2.0 * width * width * tokens / seconds, $"f16 {width} × {width} by {tokens} tokens");
    }
}
