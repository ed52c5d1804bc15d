using System.Globalization;
using CommandLine;
using RetNet.Converter;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>The logits after every token, for people who compare with their own framework.</summary>
[Verb("logits", HelpText = "Write the logits after every token of given sequences.")]
internal sealed class LogitsCommand : EvaluationCommand
{
    private const string LogitsName = "logits";

    [Option("tokens", Required = true, MetaValue = "LIST|FILE", HelpText = "Token numbers separated by commas, or a safetensors file with an integer tensor 'ids', [T] or [B,T].")]
    public string Tokens { get; set => field = Arguments.Plain(value); } = "";

    [Option("states", HelpText = "Write the final states too: 'state.L' [H,dk,dv] of every layer.")]
    public bool States { get; set; }

    [Option('o', "output", Required = true, MetaValue = "OUT.safetensors", HelpText = "File to write: 'logits' [T,V] or [B,T,V], f32.")]
    public string Output { get; set => field = Arguments.Plain(value); } = "";

    public override int Run(Terminal terminal)
    {
        var options = Evaluation();
        var batch = TokenBatch.Parse(Tokens);
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        if (batch.Sequences.SelectMany(ids => ids).FirstOrDefault(id => (uint)id >= (uint)config.VocabularySize, -1) is var unknown and not -1)
            throw new CommandException($"--tokens: token {unknown} is outside the vocabulary of {config.VocabularySize}");
        using var interrupt = new Interrupt();
        return OnDevice(terminal, device =>
        {
            using var model = Load(terminal, device, file, SequenceEvaluator.Plan(device, config, options, batch.Length));
            using var writer = SafeTensorsWriter.Create(Output, Layout(config, batch));
            using var evaluator = new SequenceEvaluator(model, options, batch.Length);
            var progress = Progress(terminal, "logits");
            for (var i = 0; i < batch.Sequences.Length; i++)
            {
                if (interrupt.Token.IsCancellationRequested)
                    return ExitCode.Interrupted;
                Write(writer, evaluator, batch, i, config);
                progress?.Report((i + 1.0) / batch.Sequences.Length);
            }

            progress?.Clear();
            writer.Complete();
            if (!Quiet)
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Output}: logits {GgufTensor.FormatShape(batch.Shape([batch.Length, config.VocabularySize]))}, {Mode.ToLowerInvariant()}"));
            return ExitCode.Success;
        });
    }

    private void Write(SafeTensorsWriter writer, SequenceEvaluator evaluator, TokenBatch batch, int sequence, RetNetConfig config)
    {
        evaluator.Reset();
        var first = (long)sequence * batch.Length;
        evaluator.Evaluate(batch.Sequences[sequence], (index, logits) => writer.Write(LogitsName, (first + index) * logits.Length, logits));
        for (var layer = 0; States && layer < config.Layers; layer++)
        {
            var state = evaluator.State.Read(layer);
            writer.Write(StateName(layer), (long)sequence * state.Length, state);
        }
    }

    private List<(string Name, IReadOnlyList<long> Shape)> Layout(RetNetConfig config, TokenBatch batch)
    {
        List<(string, IReadOnlyList<long>)> tensors = [(LogitsName, batch.Shape([batch.Length, config.VocabularySize]))];
        if (States)
            tensors.AddRange(Enumerable.Range(0, config.Layers).Select(layer => (StateName(layer), batch.Shape([config.Heads, config.KeySize, config.ValueSize]))));
        return tensors;
    }

    private static string StateName(int layer) => $"state.{layer}";
}
