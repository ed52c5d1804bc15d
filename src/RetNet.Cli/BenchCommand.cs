using System.Globalization;
using CommandLine;
using RetNet.Bench;
using RetNet.Bench.Transformers;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>Measures decoding and prefill beside what the device reaches in a plain copy and a plain product.</summary>
[Verb("bench", HelpText = "Measure decoding and prefill on a device.")]
internal sealed class BenchCommand : SequenceCommand
{
    [Option("shape", MetaValue = "SHAPE", HelpText = "Instead of a model: a shape with random weights, tiny, 350m, 1.3b, 2.7b, 6.7b, torchscale-medium, torchscale-xl, torchscale-3b, torchscale-7b, or D,L,H,DK,DV,FFN,V; may be given several times.")]
    public IEnumerable<string> Shapes { get; set => field = [.. value.Select(shape => Arguments.Plain(shape))]; } = [];

    [Option('t', "type", MetaValue = "LIST", HelpText = "With --shape: types of the matrices, of f32, f16, bf16, q8_0, q4_0 and iq4_nl, separated by commas. (Default: f16)")]
    public string? Types { get; set => field = Arguments.Plain(value); }

    [Option('b', "batch", MetaValue = "LIST", HelpText = "Sequences at once, 1 to 4096 each. (Default: 1; with --paper, at each context, 1,8, on a processor 1)")]
    public string? Batches { get; set => field = Arguments.Plain(value); }

    [Option('p', "prompt", MetaValue = "LIST", HelpText = "Tokens of a prompt, for prefill, up to 16777216 each; 0 measures no prefill. (Default: 512)")]
    public string? Prompts { get; set => field = Arguments.Plain(value); }

    [Option("depth", MetaValue = "LIST", HelpText = "Tokens taken in before decoding begins, up to 16777216 each. With --shape the state is random at that position. (Default: 0)")]
    public string? Depths { get; set => field = Arguments.Plain(value); }

    [Option('n', "tokens", MetaValue = "N", HelpText = "Tokens that each sequence decodes in a run, up to 65536; 0 measures no decoding. (Default: 128; with --paper 32)")]
    public int? Tokens { get; set; }

    [Option("paper", HelpText = "The RetNet paper's figure: memory, throughput and latency of a shape and of a Transformer of its size, against context and batch. (Default of --shape then: 6.7b, on a processor tiny)")]
    public bool Paper { get; set; }

    [Option("context", MetaValue = "LIST", HelpText = "With --paper: tokens taken in before, up to 1024k each. (Default: 1k,2k,4k,8k,16k,32k,64k; on a processor 256,512,1k,2k)")]
    public string? Contexts { get; set => field = Arguments.Plain(value); }

    [Option("batch-sweep", MetaValue = "LIST", HelpText = "With --paper: sequences at once, 1 to 64 each, at a context of 8k or else the longest. (Default: 1,2,4,8,16,32,64; on a processor 1,2,4,8)")]
    public string? BatchSweep { get; set => field = Arguments.Plain(value); }

    [Option("runs", Default = 5, MetaValue = "N", HelpText = "Measured runs of everything, 1 to 1000, after 1.5 s of the same that are not, on a processor 0.3 s.")]
    public int Runs { get; set; }

    [Option("profile", HelpText = "One more run of everything with GPU time by kernel.")]
    public bool Profile { get; set; }

    [Option("json", MetaValue = "FILE", HelpText = "Write everything as JSON; - writes it to stdout instead of the table.")]
    public string? Json { get; set => field = Arguments.Plain(value); }

    [Option("csv", MetaValue = "FILE", HelpText = "Write a line a measurement as CSV; - writes it to stdout instead of the table.")]
    public string? Csv { get; set => field = Arguments.Plain(value); }

    [Option("plot", MetaValue = "FILE.svg", HelpText = "Draw decoding against depth or batch, and prefill against length; with --paper its figure.")]
    public string? Plot { get; set => field = Arguments.Plain(value); }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    /// <summary>None, so that the time of the first token has every kernel compiled.</summary>
    protected override string? PipelineCache => null;

    public override int Run(Terminal terminal)
    {
        var options = ReadOptions();
        var shapes = ReadShapes();
        RequireMeant();
        _ = ReadSweep(DeviceKind.Other);
        RequireOutputs();
        using var file = shapes.Count == 0 && !Paper ? Folders.OpenModel(Model) : null;
        using var interrupt = new Interrupt();
        return OnDevice(terminal, device =>
        {
            var report = Measure(terminal, device, options, shapes, file, interrupt.Token);
            if (report.Measurements.Count == 0 && report.Skipped.Count > 0)
                throw new CommandException($"nothing could be measured: {report.Skipped[0].What}: {report.Skipped[0].Reason}");
            Write(terminal, report);
            return interrupt.Token.IsCancellationRequested ? ExitCode.Interrupted : ExitCode.Success;
        });
    }

    private BenchReport Measure(Terminal terminal, GpuDevice device, BenchOptions options, IReadOnlyList<ModelShape> shapes, GgufFile? file, CancellationToken cancellation)
    {
        var benchmark = new Benchmark(device, options, Quiet ? null : step => terminal.Error.WriteLine($"retnet: measuring {step}"), cancellation);
        try
        {
            if (Paper)
                RunPaper(benchmark, shapes, device.Capabilities.Kind);
            else
                foreach (var shape in shapes)
                    benchmark.Run(shape);
            if (file is not null)
                benchmark.Run(file);
        }
        catch (OperationCanceledException)
        {
            // What was measured until then is reported.
        }

        return benchmark.Report(HelpPage.Heading);
    }

    private void RunPaper(Benchmark benchmark, IReadOnlyList<ModelShape> shapes, DeviceKind kind)
    {
        foreach (var shape in shapes.DefaultIfEmpty(ModelShape.Parse(PaperSweep.ShapeFor(kind))))
            benchmark.Run(shape, ReadSweep(kind));
    }

    private void Write(Terminal terminal, BenchReport report)
    {
        WriteTo(terminal, Json, () => JsonReport.Write(report));
        WriteTo(terminal, Csv, () => CsvReport.Write(report));
        if (report.Measurements.Count > 0)
            WriteTo(terminal, Plot, () => PlotReport.Write(report));
        if (Json != "-" && Csv != "-" && Paper)
            PaperTable.Write(terminal.Out, report);
        else if (Json != "-" && Csv != "-")
            BenchTable.Write(terminal.Out, report);
        foreach (var skipped in report.Skipped)
            terminal.Error.WriteLine($"retnet: left out: {skipped.What}: {skipped.Reason}");
    }

    private static void WriteTo(Terminal terminal, string? path, Func<string> text)
    {
        if (path == "-")
            terminal.Out.Write(text());
        else if (path is not null)
            OnFile(() => OutputFile.Write(path, text()));
    }

    private static void OnFile(Action action)
    {
        try
        {
            action();
        }
        catch (IOException e)
        {
            throw new CommandException(e.Message, e);
        }
    }

    private void RequireOutputs()
    {
        if (Plot == "-")
            throw new UsageException("--plot writes a file; '-' is none");
        if (Json == "-" && Csv == "-")
            throw new UsageException("--json - and --csv - cannot both be written to stdout");
        foreach (var path in new[] { Json, Csv, Plot })
            if (path is not (null or "-"))
                OnFile(() => OutputFile.RequireWritable(path));
    }

    private List<ModelShape> ReadShapes()
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"'{extra}' belongs to no option; a model is named by --model, a shape by --shape");
        if (Shapes.Any() && Model is not null)
            throw new UsageException("--model and --shape are two ways to say what is measured; give one of them");
        if (!Shapes.Any() && Types is not null && !Paper)
            throw new UsageException("--type is for --shape; a file's weights have their type");
        try
        {
            ModelShape[] shapes = [.. Shapes.Select(shape => ModelShape.Parse(shape))];
            if (Paper)
                Array.ForEach(shapes, shape => TransformerShape.Of(shape));
            return [.. shapes];
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--shape: {e.Message}");
        }
    }

    /// <summary>Refuses options that what is measured does not look at.</summary>
    private void RequireMeant()
    {
        if (!Paper && (Contexts ?? BatchSweep) is not null)
            throw new UsageException($"{(Contexts is null ? "--batch-sweep" : "--context")} is for --paper");
        if (Paper && Model is not null)
            throw new UsageException("--paper measures a shape with random weights, since there is no Transformer of the model's file; give --shape instead of --model");
        if (Paper && (Prompts ?? Depths) is not null)
            throw new UsageException($"--paper measures decoding at each --context; {(Prompts is null ? "--depth" : "--prompt")} is not for it");
        if (Paper && Tokens == 0)
            throw new UsageException("--paper measures decoding; --tokens must be at least 1");
    }

    private PaperSweep ReadSweep(DeviceKind kind)
    {
        var sweep = PaperSweep.For(kind);
        return sweep with
        {
            Contexts = Contexts is null ? sweep.Contexts : Numbers("--context", Contexts, 1, 1 << 20, thousands: true),
            Batches = Batches is null || !Paper ? sweep.Batches : Numbers("--batch", Batches, 1, RecurrentBatch.MostSequences),
            BatchSizes = BatchSweep is null ? sweep.BatchSizes : Numbers("--batch-sweep", BatchSweep, 1, RecurrentBatch.MostSequences),
        };
    }

    private BenchOptions ReadOptions()
    {
        var tokens = Tokens ?? (Paper ? 32 : 128);
        if (tokens is < 0 or > 65536)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--tokens must be 0 to 65536; it is {tokens}"));
        if (Runs is < 1 or > 1000)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--runs must be 1 to 1000; it is {Runs}"));
        return new BenchOptions
        {
            Types = [.. (Types ?? "f16").Split(',').Select(Type)],
            Batches = Numbers("--batch", Batches ?? "1", 1, 4096),
            Prompts = [.. Numbers("--prompt", Prompts ?? "512", 0, 1 << 24).Where(prompt => prompt > 0)],
            Depths = tokens == 0 ? [] : Numbers("--depth", Depths ?? "0", 0, 1 << 24),
            Tokens = tokens,
            Runs = Runs,
            StateType = StateType,
            Profile = Profile,
        };
    }

    private static GgmlType Type(string name) => BlockType.Find(name)?.Type
        ?? throw new UsageException($"--type must be one or more of {string.Join(", ", BlockType.All)}, separated by commas; it has '{name}'");

    private static int[] Numbers(string option, string list, int least, int most, bool thousands = false) => [.. list.Split(',').Select(text =>
        Number(text, thousands) is { } value && value >= least && value <= most
            ? (int)value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} takes whole numbers from {least} to {most} separated by commas; it has '{text}'")))];

    /// <summary>A whole number; with <paramref name="thousands"/> <c>8k</c> is 8192.</summary>
    private static long? Number(string text, bool thousands)
    {
        var (digits, unit) = thousands && text.EndsWith('k') ? (text[..^1], 1024L) : (text, 1);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value * unit : null;
    }
}
