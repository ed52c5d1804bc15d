using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>How fast a device multiplies a square matrix of f16 weights with many tokens, by the kernels that prefill uses.</summary>
internal static class ProductSpeed
{
    /// <summary>Seconds that products run before they are timed and while they are: clocks rise with work.</summary>
    private const double Busy = 0.3;

    /// <summary>Floating-point operations a second, the best run, and the product's shape.</summary>
    public static (double FlopsPerSecond, string Shape) Measure(GpuDevice device)
    {
        var (width, tokens) = device.Capabilities.Kind == DeviceKind.Cpu ? (1024, 256) : (4096, 2048);
        // The output projection of a model that has hardly anything else.
        var config = ModelShape.Parse(FormattableString.Invariant($"{width},1,1,64,64,64,{width}")).Config;
        using var model = RetNetModel.Random(device, config, GgmlType.F16, new MemoryPlan());
        var options = SequenceOptions.ForPrompts(device.Capabilities, GgmlType.F16);
        var half = options.Precision == ProductPrecision.F16;
        using var activations = new Activations(device, config, headTiles: 0, tokens, tokens, options.Precision);
        using var network = new Network(
            model, activations, Tuning.For(device.Capabilities), new DispatchChain(enabled: false), finishesHeadNorm: false, Tuning.ProductsOfMany(device.Capabilities, options));
        using (var filler = new RandomFiller(device))
            filler.Fill(activations.Normed, (ulong)tokens * (ulong)activations.WidthStride * (half ? 2u : sizeof(float)), half ? RandomFormat.F16(-1) : RandomFormat.F32(-1), seed: 1);
        using var recording = device.Record("product", recorder => network.RecordLogits(recorder, 0, tokens));
        Best(device, recording);
        var seconds = Best(device, recording);
        return (2.0 * width * width * tokens / seconds, $"f16 {width} × {width} by {tokens} tokens");
    }

    private static double Best(GpuDevice device, Recording recording)
    {
        var best = double.MaxValue;
        for (var total = 0.0; total < Busy;)
        {
            var seconds = CopySpeed.Seconds(device, recording);
            total += seconds;
            best = Math.Min(best, seconds);
        }

        return best;
    }
}
