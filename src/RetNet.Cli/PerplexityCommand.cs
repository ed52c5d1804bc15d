using System.Globalization;
using CommandLine;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>How well a model foresees a text.</summary>
[Verb("perplexity", HelpText = "Measure how well a model foresees a text.")]
internal sealed class PerplexityCommand : EvaluationCommand
{
    [Option('f', "file", Required = true, MetaValue = "TEXT", HelpText = "UTF-8 text. What it names of special tokens (<|endoftext|>, say) counts as those.")]
    public string TextFile { get; set => field = Arguments.Plain(value); } = "";

    [Option("ctx", Default = 1024, MetaValue = "N", HelpText = "Tokens of a window; windows know nothing of each other. 0 takes the whole text as one.")]
    public int Window { get; set; }

    [Option("json", HelpText = "Print the result as JSON.")]
    public bool Json { get; set; }

    public override int Run(Terminal terminal)
    {
        var options = Evaluation();
        if (Window < 0)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--ctx must be 0 or more; it is {Window}"));
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        var tokens = ModelTokenizer.Load(file, config.VocabularySize).EncodePrompt(TextFiles.Read(TextFile));
        if (tokens.Length < 2)
            throw new CommandException($"{TextFile}: has {tokens.Length} tokens, and at least two are needed to foretell one from another");
        var window = Window == 0 ? tokens.Length - 1 : Math.Min(Window, tokens.Length - 1);
        using var interrupt = new Interrupt();
        return OnDevice(terminal, device =>
        {
            using var model = Load(terminal, device, file, SequenceEvaluator.Plan(device, config, options, window));
            var progress = Progress(terminal, "");
            try
            {
                var result = Perplexity.Evaluate(model, tokens, window, options, progress is null ? null : new Estimate(progress, tokens.Length - 1), interrupt.Token);
                progress?.Clear();
                Write(terminal, result, window);
                return ExitCode.Success;
            }
            catch (OperationCanceledException)
            {
                progress?.Clear();
                return ExitCode.Interrupted;
            }
        });
    }

    private void Write(Terminal terminal, Perplexity result, int window)
    {
        if (Json)
            JsonOutput.Write(terminal.Out, json =>
            {
                json.WriteStartObject();
                json.WriteNumber("perplexity", result.Value);
                json.WriteNumber("mean_nll", result.MeanNll);
                json.WriteNumber("tokens", result.Tokens);
                json.WriteNumber("window", window);
                json.WriteString("mode", Mode);
                json.WriteEndObject();
            });
        else
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"perplexity {result.Value:0.0000}, mean NLL {result.MeanNll:0.000000} nats a token, {result.Tokens} tokens in windows of {window}, {Mode.ToLowerInvariant()}"));
    }

    /// <summary>The running estimate as a progress line.</summary>
    private sealed class Estimate(ProgressLine line, long total) : IProgress<Perplexity>
    {
        public void Report(Perplexity value)
        {
            line.Title = string.Create(CultureInfo.InvariantCulture, $"perplexity {value.Value:0.0000} so far");
            line.Report((double)value.Tokens / total);
        }
    }
}
