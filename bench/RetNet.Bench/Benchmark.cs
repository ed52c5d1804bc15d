using System.Diagnostics;
using RetNet.Bench.Transformers;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Bench;

/// <summary>Measures models on a device. What does not fit is left out and told in the report; everything else goes on.</summary>
public sealed partial class Benchmark
{
    private const int DeviceLost = -4;
    private const int ProfiledTokens = 32;

    /// <summary>Seconds of work before anything counts. A GPU's clocks take over a second to rise.</summary>
    private double WarmUp => _device.Capabilities.Kind == DeviceKind.Cpu ? 0.3 : 1.5;

    private readonly GpuDevice _device;
    private readonly BenchOptions _options;
    private readonly Action<string>? _progress;
    private readonly List<ModelResult> _models = [];
    private readonly List<Measurement> _measurements = [];
    private readonly List<Skipped> _skipped = [];
    private readonly DateTimeOffset _date = DateTimeOffset.UtcNow;
    private readonly DeviceLimits _limits;
    private readonly CancellationToken _cancellation;

    /// <summary>Measures what the device reaches at most.</summary>
    /// <param name="device">The device; opened without a pipeline cache, the first token's time has all kernels compiled.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told what comes next.</param>
    /// <param name="cancellation">Ends after the run that is under way.</param>
    /// <exception cref="GpuException">A profile is asked for of a device without timestamps, or it fails.</exception>
    public Benchmark(GpuDevice device, BenchOptions options, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Profile && device.Capabilities.TimestampPeriod == 0)
            throw new GpuException($"{device.Gpu.Name} has no timestamps on its compute queue; measure without --profile.");
        (_device, _options, _progress, _cancellation) = (device, options, progress, cancellation);
        progress?.Invoke("copy and product");
        var copy = CopySpeed.Measure(device);
        var product = ProductSpeed.Measure(device);
        _limits = new(copy.BytesPerSecond, copy.By, product.FlopsPerSecond, product.Shape);
    }

    /// <summary>Measures a shape with random weights in every type asked for.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was measured is in the report.</exception>
    public void Run(ModelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        foreach (var type in _options.Types)
        {
            var name = BlockType.Of(type).Name;
            var subject = new Subject(shape.Name, name, Architecture.RetNet, null, shape.Parameters, Notes(shape, type));
            Attempt(subject.ToString(), () => Run(subject, () => RetNetModel.Random(_device, shape.Config, type, Plan(shape.Config)), model => Sweep(subject, model)));
        }
    }

    /// <summary>Measures a model of a file.</summary>
    /// <exception cref="GgufException">It is no RetNet.</exception>
    /// <exception cref="ModelException">It is one that the kernels do not compute.</exception>
    /// <exception cref="GpuException">The device was lost.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what was measured is in the report.</exception>
    public void Run(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var config = RetNetGguf.ReadConfig(file);
        var matrices = file.Tensors.Values.Where(tensor => tensor.Dimensions.Count > 1).ToArray();
        var type = matrices.GroupBy(tensor => tensor.Type.Name).MaxBy(group => group.Sum(tensor => (long)tensor.Bytes))?.Key ?? "none";
        var name = Path.GetFileNameWithoutExtension(file.Path);
        var subject = new Subject(name, type, Architecture.RetNet, file.Path, matrices.Sum(tensor => tensor.Rows * tensor.RowLength), []);
        Attempt(name, () => Run(subject, () => RetNetModel.Load(_device, file, Plan(config)), model => Sweep(subject, model)));
    }

    /// <summary>What was found so far.</summary>
    /// <param name="program">Program and version, for the report.</param>
    public BenchReport Report(string program) => new()
    {
        Program = program,
        Date = _date,
        Device = _device.Gpu,
        Limits = _limits,
        Paper = _paper,
        Models = _models,
        Measurements = _measurements,
        Skipped = _skipped,
    };

    private MemoryPlan Plan(RetNetConfig config) => RecurrentSession.Plan(_device, config, _options.StateType);

    private static List<string> Notes(ModelShape shape, GgmlType type)
    {
        var block = BlockType.Of(type);
        var kept = TensorShapes.Of(shape.Config).Where(tensor => tensor.IsMatrix && tensor.Dimensions[0] % block.Length != 0).Select(tensor => tensor.Dimensions[0]).Distinct().Order().ToArray();
        return kept.Length == 0 ? [] : [$"kept in f16, rows of {string.Join(", ", kept)} are no whole {block.Name} blocks of {block.Length}"];
    }

    /// <summary>Runs a part of the sweep, and notes why where the device refuses it.</summary>
    private void Attempt(string what, Action action)
    {
        _cancellation.ThrowIfCancellationRequested();
        try
        {
            action();
        }
        catch (GpuException e) when (e is not VulkanCallException { Result: DeviceLost })
        {
            _skipped.Add(new(what, e.Message));
        }
    }

    private void Run(Subject subject, Func<RetNetModel> load, Action<RetNetModel> measure)
    {
        _progress?.Invoke(subject.ToString());
        var start = Stopwatch.GetTimestamp();
        using var model = load();
        var loaded = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _models.Add(new ModelResult
        {
            Name = subject.Name,
            Architecture = subject.Architecture,
            Type = subject.Type,
            File = subject.File,
            Config = model.Config,
            Parameters = subject.Parameters,
            WeightBytes = model.WeightBytes,
            LoadSeconds = loaded,
            FirstTokenSeconds = FirstToken(subject, model),
            SecondStartSeconds = FirstToken(subject, model),
            Notes = subject.Notes,
        });
        measure(model);
    }

    /// <summary>Every combination of the lists.</summary>
    private void Sweep(Subject subject, RetNetModel model)
    {
        var work = new TokenWork(model, _options.StateType);
        foreach (var batch in _options.Batches)
        {
            foreach (var depth in _options.Depths)
                MeasureDecode(subject, model, work, batch, depth);
            foreach (var prompt in _options.Prompts)
                Measure(subject, MeasurementKind.Prefill, batch, 0, prompt, () => Prefill(model, work, batch, prompt));
        }
    }

    private void MeasureDecode(Subject subject, RetNetModel model, TokenWork work, int batch, int depth) =>
        Measure(subject, MeasurementKind.Decode, batch, depth, _options.Tokens, () => Decode(subject, model, work, batch, depth));

    private double FirstToken(Subject subject, RetNetModel model)
    {
        var start = Stopwatch.GetTimestamp();
        using var decoder = Decoder(subject, model, batch: 1, depth: 0, tokens: 1);
        decoder.Decode(0, 1);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Measure(Subject subject, MeasurementKind kind, int batch, int depth, int tokens, Func<Figures> measure)
    {
        var what = kind == MeasurementKind.Decode ? $"decoding after {depth} tokens" : $"prefill of {tokens} tokens";
        var sequences = batch == 1 ? "1 sequence" : $"{batch} sequences";
        Attempt($"{subject}, {what}, {sequences}", () =>
        {
            _progress?.Invoke($"{subject}, {what}, {sequences}");
            _device.ResetPeak();
            var figures = measure();
            _measurements.Add(new Measurement
            {
                Model = subject.Name,
                Architecture = subject.Architecture,
                Type = subject.Type,
                StateType = _options.StateType,
                Kind = kind,
                Batch = batch,
                Depth = depth,
                Tokens = tokens,
                TokensPerSecond = new([.. figures.Seconds.Select(seconds => (double)batch * tokens / seconds)]),
                BytesPerToken = figures.BytesPerToken,
                FlopsPerToken = figures.FlopsPerToken,
                AllocatedBytes = _device.PeakBytes,
                DriverBytes = figures.DriverBytes,
                Kernels = figures.Kernels,
                ProfiledTokens = figures.ProfiledTokens,
            });
        });
    }

    private Figures Decode(Subject subject, RetNetModel model, TokenWork work, int batch, int depth)
    {
        using var decoder = Decoder(subject, model, batch, depth, _options.Tokens);
        var seconds = Repeat(() => decoder.Decode(depth, _options.Tokens));
        var tokens = Math.Min(_options.Tokens, ProfiledTokens);
        var kernels = Profile(timings => decoder.Decode(depth, tokens, timings));
        var (bytes, flops) = (work.DecodeBytes(batch), work.DecodeFlops);
        if (subject.Architecture == Architecture.Transformer)
        {
            var attention = new TransformerWork(work, model.Config, depth, _options.Tokens);
            (bytes, flops) = (attention.DecodeBytes(batch), attention.DecodeFlops);
        }

        return new(seconds, bytes, flops, _device.UsedBytes, kernels, (long)tokens * batch);
    }

    private IDecoder Decoder(Subject subject, RetNetModel model, int batch, int depth, int tokens) => subject.Architecture == Architecture.Transformer
        ? new TransformerDecoder(model, batch, (long)depth + tokens)
        : IDecoder.Create(model, _options.StateType, batch, randomState: subject.File is null);

    private Figures Prefill(RetNetModel model, TokenWork work, int batch, int prompt)
    {
        var options = PrefillRun.Options(model, _options.StateType, batch, prompt, _limits.ProductFlopsPerSecond / work.PrefillFlops);
        SequenceBatch.Plan(model.Config, batch, options).EnsureFits(_device, "Prefill", "Choose a smaller batch or another device.");
        using var run = new PrefillRun(model, batch, prompt, options);
        var seconds = Repeat(() => run.Run());
        var kernels = Profile(timings => run.Run(timings));
        return new(seconds, work.PrefillBytes(batch, prompt, options.PassLength), work.PrefillFlops, _device.UsedBytes, kernels, (long)batch * prompt);
    }

    /// <summary>Runs that count, after as many as keep the device busy for <see cref="WarmUp"/> seconds: an idle GPU's clocks are low.</summary>
    private double[] Repeat(Func<double> run)
    {
        run(); // it builds pipelines, which takes time and leaves the device idle
        for (var busy = 0.0; busy < WarmUp; busy += run())
            _cancellation.ThrowIfCancellationRequested();
        var seconds = new double[_options.Runs];
        for (var i = 0; i < seconds.Length; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            seconds[i] = run();
        }

        return seconds;
    }

    private List<KernelTime> Profile(Action<KernelTimings> run)
    {
        if (!_options.Profile)
            return [];
        using var timings = new KernelTimings(_device);
        run(timings);
        return [.. timings.Totals.Select(total => new KernelTime(total.Key, total.Value.Count, total.Value.Seconds)).OrderByDescending(kernel => kernel.Seconds)];
    }

    /// <summary>A model that is measured.</summary>
    private sealed record Subject(string Name, string Type, Architecture Architecture, string? File, long Parameters, IReadOnlyList<string> Notes)
    {
        public override string ToString() => Architecture == Architecture.RetNet ? $"{Name} {Type}" : $"{Name} {Architecture} {Type}";
    }

    private sealed record Figures(double[] Seconds, double BytesPerToken, double FlopsPerToken, ulong? DriverBytes, IReadOnlyList<KernelTime> Kernels, long ProfiledTokens);
}
