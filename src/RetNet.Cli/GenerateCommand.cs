using System.Globalization;
using CommandLine;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>Goes on from a prompt: text on stdout as it is generated, everything else on stderr.</summary>
[Verb("generate", HelpText = "Generate text that goes on from a prompt.")]
internal sealed class GenerateCommand : SequenceCommand
{
    [Value(0, MetaName = "PROMPT", HelpText = "Text to go on from; - reads it from standard input; without one the model begins by itself. Put -- before one that looks like an option.")]
    public string? Prompt { get; set => field = Arguments.Plain(value); }

    [Value(1, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    [Option('n', "max-tokens", Default = 200L, MetaValue = "N", HelpText = "Tokens to generate at most, 0 or more; -1 for no limit.")]
    public long MaxTokens { get; set; }

    [Option("temp", MetaValue = "T", HelpText = "Temperature, 0 or more; 0 always takes the most probable token. (Default: 0.8)")]
    public float? Temperature { get; set; }

    [Option("top-k", MetaValue = "K", HelpText = "Draw from the K most probable tokens, 0 or more; 0 for all. (Default: 40)")]
    public int? TopK { get; set; }

    [Option("top-p", MetaValue = "P", HelpText = "Draw from the fewest tokens that have probability P together, above 0 up to 1; 1 for all. (Default: 0.95)")]
    public float? TopP { get; set; }

    [Option("min-p", MetaValue = "P", HelpText = "Draw from tokens at least P times as probable as the most probable one, 0 to 1; 0 for all. (Default: 0.05)")]
    public float? MinP { get; set; }

    [Option("repeat-penalty", MetaValue = "R", HelpText = "Make recent tokens less probable: above 0; 1 is off. (Default: 1)")]
    public float? RepeatPenalty { get; set; }

    [Option("repeat-last-n", MetaValue = "N", HelpText = "How many of the last tokens are recent, 0 to 4096. (Default: 64)")]
    public int? RepeatWindow { get; set; }

    [Option("seed", MetaValue = "S", HelpText = "Seed of the random numbers, 0 to 2^64 - 1; the same seed on the same device gives the same text. (Default: a new one each time, shown at the end)")]
    public ulong? Seed { get; set; }

    [Option("stop", MetaValue = "TEXT", HelpText = "End before this text; may be given several times.")]
    public IEnumerable<string> Stops { get; set => field = [.. value.Select(stop => Arguments.Plain(stop))]; } = [];

    [Option("ignore-eos", HelpText = "Go on when the model ends the text.")]
    public bool IgnoreEnd { get; set; }

    [Option('f', "file", MetaValue = "PROMPT_FILE", HelpText = "Read the prompt from a UTF-8 file; one line break at its end is left out.")]
    public string? PromptFile { get; set => field = Arguments.Plain(value); }

    [Option("save-state", MetaValue = "FILE", HelpText = "Save the session at the end, to go on from later: state, tokens, and how it sampled.")]
    public string? SaveState { get; set => field = Arguments.Plain(value); }

    [Option("load-state", MetaValue = "FILE", HelpText = "Go on from a saved session of the same model, exactly where it stopped; a prompt is appended to it, and options given here replace the saved ones.")]
    public string? LoadState { get; set => field = Arguments.Plain(value); }

    [Option("prompts", MetaValue = "FILE", HelpText = "Go on from many prompts together, one a line of a UTF-8 file; blank lines are left out. Prompt i, from 0, has the seed S + i. Texts come numbered and in order.")]
    public string? Prompts { get; set => field = Arguments.Plain(value); }

    [Option("parallel", Default = RecurrentBatch.MostSequences, MetaValue = "N", HelpText = "How many of --prompts are decoded at once at most, 1 to 64; fewer take less memory.")]
    public int Parallel { get; set; }

    [Option("profile", HelpText = "Show GPU time by kernel at the end; slower.")]
    public bool Profile { get; set; }

    public override int Run(Terminal terminal)
    {
        RequireSense();
        if (Prompts is not null)
            return RunPrompts(terminal, Prompts);
        var stateType = StateType;
        var prompt = PromptText.Read(Prompt, PromptFile);
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        var tokenizer = ModelTokenizer.Load(file, config.VocabularySize);
        return OnDevice(terminal, device =>
        {
            using var model = Load(terminal, device, file, RecurrentSession.Plan(device, config, stateType));
            using var session = new RecurrentSession(model, stateType);
            var fingerprint = SaveState is null && LoadState is null ? "" : file.Fingerprint();
            var sampler = Sampler(LoadState is null ? Fresh : SessionFile.Load(LoadState, session, fingerprint));
            var code = Run(terminal, prompt, session, device, tokenizer, sampler);
            if (SaveState is not null)
                SessionFile.Save(SaveState, session, sampler, fingerprint);
            return code;
        });
    }

    private int Run(Terminal terminal, string prompt, RecurrentSession session, GpuDevice device, ModelTokenizer tokenizer, SamplerOptions sampler)
    {
        var options = Options(sampler) with { EndsExactly = SaveState is not null };
        using var timings = Profile ? new KernelTimings(device) : null;
        var generator = new TextGenerator(session, tokenizer);
        using var interrupt = new Interrupt();
        Print(terminal.Out, prompt, generator.Generate(prompt, options, timings, interrupt.Token));
        if (timings is not null)
            GenerationReport.WriteKernels(terminal.Error, timings);
        if (!Quiet)
            GenerationReport.WriteSummary(terminal.Error, generator.Statistics!, sampler.Seed, device.Gpu.Name);
        return generator.Statistics!.Reason == StopReason.Cancelled ? ExitCode.Interrupted : ExitCode.Success;
    }

    private int RunPrompts(Terminal terminal, string path)
    {
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        var tokenizer = ModelTokenizer.Load(file, config.VocabularySize);
        var prompts = PromptList.Read(path, tokenizer);
        var (stateType, options) = (StateType, Options(Sampler(Fresh)));
        return OnDevice(terminal, device =>
        {
            var size = Math.Min(prompts.Count, Parallel);
            using var model = Load(terminal, device, file, RecurrentBatch.Plan(device, config, size, stateType));
            using var batch = new RecurrentBatch(model, size, stateType);
            var generator = new BatchTextGenerator(batch, tokenizer);
            using var interrupt = new Interrupt();
            foreach (var text in generator.Generate(prompts, options, interrupt.Token))
            {
                terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{text.Index + 1}] {prompts[text.Index]}{text.Text}"));
                terminal.Out.Flush();
            }

            if (!Quiet)
                GenerationReport.WriteSummary(terminal.Error, generator.Statistics!, options.Sampler.Seed, device.Gpu.Name);
            return interrupt.Token.IsCancellationRequested ? ExitCode.Interrupted : ExitCode.Success;
        });
    }

    private GenerationOptions Options(SamplerOptions sampler) => new()
    {
        MaxTokens = MaxTokens < 0 ? null : MaxTokens,
        Stops = [.. Stops],
        IgnoreEnd = IgnoreEnd,
        Sampler = sampler,
    };

    private static SamplerOptions Fresh => new() { Seed = (ulong)Random.Shared.NextInt64(1L << 32) };

    /// <summary>What the command line says, and otherwise what is there already.</summary>
    private SamplerOptions Sampler(SamplerOptions otherwise) => new()
    {
        Temperature = Temperature ?? otherwise.Temperature,
        TopK = TopK ?? otherwise.TopK,
        TopP = TopP ?? otherwise.TopP,
        MinP = MinP ?? otherwise.MinP,
        RepeatPenalty = RepeatPenalty ?? otherwise.RepeatPenalty,
        RepeatWindow = RepeatWindow ?? otherwise.RepeatWindow,
        Seed = Seed ?? otherwise.Seed,
    };

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
        if (Prompts is not null && (Prompt ?? PromptFile ?? SaveState ?? LoadState) is not null)
            throw new UsageException("--prompts goes without a prompt, --file, --save-state and --load-state");
        if (Prompts is not null && Profile)
            throw new UsageException("--prompts goes without --profile");
        if (Parallel is < 1 or > RecurrentBatch.MostSequences)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--parallel must be from 1 to {RecurrentBatch.MostSequences}; it is {Parallel}"));
        if (MaxTokens < -1)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--max-tokens must be 0 or more, or -1 for no limit; it is {MaxTokens}"));
        if (SaveState is not null && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(SaveState))))
            throw new CommandException($"{SaveState}: cannot be written: its folder does not exist; create it first");
        if (Stops.Contains(""))
            throw new UsageException("--stop must not be empty");
        try
        {
            Sampler(Fresh).Validate();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
