using RetNet.Bench.Transformers;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <content>The paper's figure.</content>
public sealed partial class Benchmark
{
    private PaperSweep? _paper;

    /// <summary>Measures a shape with random weights, and the Transformer of its size, in every type asked for.</summary>
    /// <param name="shape">The RetNet.</param>
    /// <param name="sweep">Where to measure; lists of the options are not looked at.</param>
    /// <exception cref="ArgumentException">There is no Transformer of its width.</exception>
    /// <exception cref="GpuException">The device was lost.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was measured is in the report.</exception>
    public void Run(ModelShape shape, PaperSweep sweep)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(sweep);
        _paper = sweep;
        var transformer = TransformerShape.Of(shape);
        foreach (var type in _options.Types)
        {
            Run(shape, Architecture.RetNet, type, sweep);
            Run(transformer, Architecture.Transformer, type, sweep);
        }
    }

    private void Run(ModelShape shape, Architecture architecture, GgmlType type, PaperSweep sweep)
    {
        var subject = new Subject(shape.Name, BlockType.Of(type).Name, architecture, null, shape.Parameters, Notes(shape, type));
        Attempt(subject.ToString(), () => Run(subject, () => RetNetModel.Random(_device, shape.Config, type, new MemoryPlan()), model =>
        {
            var work = new TokenWork(model, _options.StateType);
            foreach (var (batch, context) in sweep.Points)
                MeasureDecode(subject, model, work, batch, context);
        }));
    }
}
