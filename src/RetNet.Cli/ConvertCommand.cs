using CommandLine;
using RetNet.Converter;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>Converts a checkpoint, or a GGUF file that is not quantised, to GGUF.</summary>
[Verb("convert", HelpText = "Convert a RetNet checkpoint to GGUF, or a GGUF file to a smaller type.")]
internal sealed class ConvertCommand : ICommand
{
    [Value(0, MetaName = "SOURCE", Required = true, HelpText = "Folder of a checkpoint, its weight file (.safetensors, .bin, .pt) beside config.json, or a GGUF file in f32, f16 or bf16.")]
    public string Source { get; set => field = Arguments.Plain(value); } = "";

    [Value(1, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    [Option('o', "output", Required = true, MetaValue = "OUT.gguf", HelpText = "File to write; it appears when it is complete.")]
    public string Output { get; set => field = Arguments.Plain(value); } = "";

    [Option('t', "type", Default = "f16", MetaValue = "TYPE", HelpText = "Type of the matrices: f32, f16, bf16, q8_0, q4_0 or iq4_nl.")]
    public string Type { get; set => field = Arguments.Plain(value); } = "";

    [Option("name", MetaValue = "NAME", HelpText = "The model's name for people. (Default: the source's)")]
    public string? Name { get; set => field = Arguments.Plain(value); }

    public int Run(Terminal terminal)
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"there is one source, '{extra}' is one too many");
        var type = BlockType.Find(Type)
            ?? throw new UsageException($"--type must be one of {string.Join(", ", BlockType.All)}; it is '{Type}'");
        using var interrupt = new Interrupt();
        try
        {
            var progress = new ConversionLines(terminal.Error, Output, Terminal.ErrorIsTerminal);
            var summary = CheckpointConverter.Convert(Source, Output, type, Name, progress, interrupt.Token);
            progress.Clear();
            Write(terminal.Out, summary);
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
    }

    private static void Write(TextWriter writer, ConversionSummary summary)
    {
        writer.WriteLine(FormattableString.Invariant(
            $"{summary.Output}: {summary.Config.Name}, {summary.Parameters:N0} parameters, {summary.Tensors} tensors, {Size(summary.SourceBytes)} -> {Size(summary.OutputBytes)}"));
        foreach (var total in summary.Types)
            writer.WriteLine(FormattableString.Invariant($"  {total.Type}: {total.Tensors} tensors, {Size(total.Bytes)}"));
        foreach (var kept in summary.Kept.GroupBy(kept => (kept.Type, kept.Reason)))
            writer.WriteLine($"  kept in {kept.Key.Type}, {kept.Key.Reason}: {string.Join(", ", kept.Select(tensor => tensor.Tensor))}");
        if (!summary.HasTokenizer)
            writer.WriteLine("  no tokenizer: put tokenizer.json beside the weights to generate text");
        foreach (var note in summary.Notes)
            writer.WriteLine($"  {note}");
    }

    private static string Size(long bytes) => MemoryPlan.Size((ulong)bytes);
}
