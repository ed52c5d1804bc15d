using System.Globalization;
using CommandLine;
using RetNet.Bench;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>Measures decoding and prefill beside what the device reaches in a plain copy and a plain product.</summary>
[Verb("bench", HelpText = "Measure decoding and prefill on a device.")]
internal sealed class BenchCommand : DeviceCommand
{
    [Option("shape", MetaValue = "SHAPE", HelpText = "Instead of a model: a shape with random weights, tiny, 350m, 1.3b, 2.7b, 6.7b, torchscale-medium, torchscale-xl, torchscale-3b, torchscale-7b, or D,L,H,DK,DV,FFN,V; may be given several times.")]
    public IEnumerable<string> Shapes { get; set => field = [.. value.Select(shape => Arguments.Plain(shape))]; } = [];

    [Option('t', "type", MetaValue = "LIST", HelpText = "With --shape: types of the matrices, of f32, f16, bf16, q8_0, q4_0 and iq4_nl, separated by commas. (Default: f16)")]
    public string? Types { get; set => field = Arguments.Plain(value); }

    [Option('b', "batch", Default = "1", MetaValue = "LIST", HelpText = "Sequences at once, 1 to 4096 each.")]
    public string Batches { get; set => field = Arguments.Plain(value); } = "";

    [Option('p', "prompt", Default = "512", MetaValue = "LIST", HelpText = "Tokens of a prompt, for prefill, up to 16777216 each; 0 measures no prefill.")]
    public string Prompts { get; set => field = Arguments.Plain(value); } = "";

    [Option("depth", Default = "0", MetaValue = "LIST", HelpText = "Tokens taken in before decoding begins, up to 16777216 each. With --shape the state is random at that position.")]
    public string Depths { get; set => field = Arguments.Plain(value); } = "";

    [Option('n', "tokens", Default = 128, MetaValue = "N", HelpText = "Tokens that each sequence decodes in a run, up to 65536; 0 measures no decoding.")]
    public int Tokens { get; set; }

    [Option("runs", Default = 5, MetaValue = "N", HelpText = "Measured runs of everything, 1 to 1000, after one that is not.")]
    public int Runs { get; set; }

    [Option("profile", HelpText = "One more run of everything with GPU time by kernel.")]
    public bool Profile { get; set; }

    [Option("json", MetaValue = "FILE", HelpText = "Write everything as JSON; - writes it to stdout instead of the table.")]
    public string? Json { get; set => field = Arguments.Plain(value); }

    [Option("csv", MetaValue = "FILE", HelpText = "Write a line a measurement as CSV; - writes it to stdout instead of the table.")]
    public string? Csv { get; set => field = Arguments.Plain(value); }

    [Option("plot", MetaValue = "FILE.svg", HelpText = "Draw decoding against depth or batch, and prefill against length.")]
    public string? Plot { get; set => field = Arguments.Plain(value); }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    /// <summary>None, so that the time of the first token has every kernel compiled.</summary>
    protected override string? PipelineCache => null;

    public override int Run(Terminal terminal)
    {
        var options = ReadOptions();
        var shapes = ReadShapes();
        RequireOutputs();
        using var file = shapes.Count == 0 ? Folders.OpenModel(Model) : null;
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

    private void Write(Terminal terminal, BenchReport report)
    {
        WriteTo(terminal, Json, () => JsonReport.Write(report));
        WriteTo(terminal, Csv, () => CsvReport.Write(report));
        if (report.Measurements.Count > 0)
            WriteTo(terminal, Plot, () => PlotReport.Write(report));
        if (Json != "-" && Csv != "-")
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
        if (!Shapes.Any() && Types is not null)
            throw new UsageException("--type is for --shape; a file's weights have their type");
        try
        {
            return [.. Shapes.Select(ModelShape.Parse)];
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--shape: {e.Message}");
        }
    }

    private BenchOptions ReadOptions()
    {
        if (Tokens is < 0 or > 65536)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--tokens must be 0 to 65536; it is {Tokens}"));
        if (Runs is < 1 or > 1000)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--runs must be 1 to 1000; it is {Runs}"));
        return new BenchOptions
        {
            Types = [.. (Types ?? "f16").Split(',').Select(Type)],
            Batches = Numbers("--batch", Batches, 1, 4096),
            Prompts = [.. Numbers("--prompt", Prompts, 0, 1 << 24).Where(prompt => prompt > 0)],
            Depths = Tokens == 0 ? [] : Numbers("--depth", Depths, 0, 1 << 24),
            Tokens = Tokens,
            Runs = Runs,
            StateType = StateType,
            Profile = Profile,
        };
    }

    private static GgmlType Type(string name) => BlockType.Find(name)?.Type
        ?? throw new UsageException($"--type must be one or more of {string.Join(", ", BlockType.All)}, separated by commas; it has '{name}'");

    private static int[] Numbers(string option, string list, int least, int most) => [.. list.Split(',').Select(text =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} takes whole numbers from {least} to {most} separated by commas; it has '{text}'")))];
}
