using System.Globalization;
using CommandLine;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>Goes on from a prompt: text on stdout as it is generated, everything else on stderr.</summary>
[Verb("generate", HelpText = "Generate text that goes on from a prompt.")]
internal sealed class GenerateCommand : DeviceCommand
{
    [Value(0, MetaName = "PROMPT", HelpText = "Text to go on from; - reads it from standard input; without one the model begins by itself. Put -- before one that looks like an option.")]
    public string? Prompt { get; set => field = Arguments.Plain(value); }

    [Value(1, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    [Option('n', "max-tokens", Default = 200L, MetaValue = "N", HelpText = "Tokens to generate at most, 0 or more; -1 for no limit.")]
    public long MaxTokens { get; set; }

    [Option("temp", Default = 0.8f, MetaValue = "T", HelpText = "Temperature, 0 or more; 0 always takes the most probable token.")]
    public float Temperature { get; set; }

    [Option("top-k", Default = 40, MetaValue = "K", HelpText = "Draw from the K most probable tokens, 0 or more; 0 for all.")]
    public int TopK { get; set; }

    [Option("top-p", Default = 0.95f, MetaValue = "P", HelpText = "Draw from the fewest tokens that have probability P together, above 0 up to 1; 1 for all.")]
    public float TopP { get; set; }

    [Option("min-p", Default = 0.05f, MetaValue = "P", HelpText = "Draw from tokens at least P times as probable as the most probable one, 0 to 1; 0 for all.")]
    public float MinP { get; set; }

    [Option("repeat-penalty", Default = 1f, MetaValue = "R", HelpText = "Make recent tokens less probable: above 0; 1 is off.")]
    public float RepeatPenalty { get; set; }

    [Option("repeat-last-n", Default = 64, MetaValue = "N", HelpText = "How many of the last tokens are recent, 0 to 4096.")]
    public int RepeatWindow { get; set; }

    [Option("seed", MetaValue = "S", HelpText = "Seed of the random numbers, 0 to 2^64 - 1; the same seed on the same device gives the same text. (Default: a new one each time, shown at the end)")]
    public ulong? Seed { get; set; }

    [Option("stop", MetaValue = "TEXT", HelpText = "End before this text; may be given several times.")]
    public IEnumerable<string> Stops { get; set => field = [.. value.Select(stop => Arguments.Plain(stop))]; } = [];

    [Option("ignore-eos", HelpText = "Go on when the model ends the text.")]
    public bool IgnoreEnd { get; set; }

    [Option('f', "file", MetaValue = "PROMPT_FILE", HelpText = "Read the prompt from a UTF-8 file; one line break at its end is left out.")]
    public string? PromptFile { get; set => field = Arguments.Plain(value); }

    [Option("profile", HelpText = "Show GPU time by kernel at the end; slower.")]
    public bool Profile { get; set; }

    private GenerationOptions Options => new()
    {
        MaxTokens = MaxTokens < 0 ? null : MaxTokens,
        Stops = [.. Stops],
        IgnoreEnd = IgnoreEnd,
        Sampler = new SamplerOptions
        {
            Temperature = Temperature,
            TopK = TopK,
            TopP = TopP,
            MinP = MinP,
            RepeatPenalty = RepeatPenalty,
            RepeatWindow = RepeatWindow,
            Seed = Seed ??= (ulong)Random.Shared.NextInt64(1L << 32),
        },
    };

    public override int Run(Terminal terminal)
    {
        RequireSense();
        var prompt = PromptText.Read(Prompt, PromptFile);
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        var tokenizer = ModelTokenizer.Load(file, config.VocabularySize);
        return OnDevice(terminal, device =>
        {
            using var model = Load(terminal, device, file, RecurrentSession.Plan(device, config));
            return Run(terminal, prompt, model, tokenizer);
        });
    }

    private int Run(Terminal terminal, string prompt, RetNetModel model, ModelTokenizer tokenizer)
    {
        using var session = new RecurrentSession(model);
        using var timings = Profile ? new KernelTimings(model.Device) : null;
        var generator = new TextGenerator(session, tokenizer);
        using var interrupt = new Interrupt();
        Print(terminal.Out, prompt, generator.Generate(prompt, Options, timings, interrupt.Token));
        if (timings is not null)
            GenerationReport.WriteKernels(terminal.Error, timings);
        if (!Quiet)
            GenerationReport.WriteSummary(terminal.Error, generator.Statistics!, Seed!.Value, model.Device.Gpu.Name);
        return generator.Statistics!.Reason == StopReason.Cancelled ? ExitCode.Interrupted : ExitCode.Success;
    }

    private static void Print(TextWriter writer, string prompt, IEnumerable<string> pieces)
    {
        writer.Write(prompt);
        writer.Flush();
        foreach (var piece in pieces)
        {
            writer.Write(piece);
            writer.Flush();
        }

        writer.WriteLine();
        writer.Flush();
    }

    private void RequireSense()
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"there is one prompt, '{extra}' is one too many; put the prompt in quotes");
        if (MaxTokens < -1)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--max-tokens must be 0 or more, or -1 for no limit; it is {MaxTokens}"));
        if (Stops.Contains(""))
            throw new UsageException("--stop must not be empty");
        try
        {
            Options.Sampler.Validate();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
