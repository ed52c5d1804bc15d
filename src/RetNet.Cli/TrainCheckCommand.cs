using System.Globalization;
using CommandLine;
using RetNet.Converter;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>Whether a device and its driver train right: losses, gradients and updated weights.</summary>
[Verb("train-check", HelpText = "Check that a device trains right: losses, gradients and updated weights. --model may be the folder of a checkpoint.")]
internal sealed class TrainCheckCommand : CheckCommand
{
    private const string Torchscale = "torchscale";
    private const int RandomSequences = 2;

    // More than a chunk of any usual length.
    private const int RandomLength = 70;
    private const int Seed = 11;

    [Option("tokens", MetaValue = "LIST|FILE", HelpText = "Token numbers separated by commas, or a safetensors file with an integer tensor 'ids', [T] or [B,T]. (Default: those of the folder's reference.safetensors, else random ones)")]
    public string? Tokens { get; set => field = Arguments.Plain(value); }

    [Option("steps", Default = 3, MetaValue = "N", HelpText = "Steps of AdamW, 1 or more.")]
    public int Steps { get; set; }

    [Option("chunk", Default = 16, MetaValue = "C", HelpText = "Tokens of a chunk in the chunkwise form, 1 or more.")]
    public int Chunk { get; set; }

    [Option("exact", MetaValue = Torchscale, HelpText = "Reproduce torchscale's abs-sum clamp in the parallel form.")]
    public string? Exact { get; set => field = Arguments.Plain(value); }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    public override int Run(Terminal terminal)
    {
        var options = Options();
        using var interrupt = new Interrupt();
        if (!Directory.Exists(Model))
        {
            using var model = Folders.OpenModel(Model);
            return Check(terminal, model, options, null, interrupt.Token);
        }

        var reference = TrainingReference.Find(Model);
        var folder = Directory.CreateTempSubdirectory("retnet-");
        try
        {
            var path = Path.Combine(folder.FullName, "model.gguf");
            CheckpointConverter.Convert(Model, path, BlockType.Of(GgmlType.F32), cancellation: interrupt.Token);
            using var model = GgufFile.Open(path);
            return Check(terminal, model, options, reference, interrupt.Token);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private TrainingCheckOptions Options()
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"'{extra}' belongs to no option; a model is named by --model");
        if (Exact is not (null or Torchscale))
            throw new UsageException($"--exact must be {Torchscale}; it is '{Exact}'");
        if (Steps < 1)
            throw new UsageException($"--steps must be 1 or more; it is {Steps}");
        if (Chunk < 1)
            throw new UsageException($"--chunk must be 1 or more; it is {Chunk}");
        return new() { Steps = Steps, ChunkLength = Chunk, TorchscaleClamp = Exact is not null };
    }

    private int Check(Terminal terminal, GgufFile file, TrainingCheckOptions options, TrainingReference? reference, CancellationToken cancel)
    {
        var config = RetNetGguf.ReadConfig(file);
        var sequences = Sequences(config, reference);
        var framework = reference is null || Tokens is not null ? null : Trace(reference);
        return Judge(terminal, (device, clock, show) =>
        {
            var check = new TrainingCheck(file, sequences, options);
            var comparisons = check.Run(
                form => new DeviceTraining(device, file, form, sequences.Length, sequences[0].Length, options), framework, (title, share) => show($"training: {title}", share), cancel);
            var steps = string.Create(CultureInfo.InvariantCulture, $"{options.Steps} steps of AdamW on {sequences.Length} x {sequences[0].Length} tokens");
            return new TrainCheckReport(device.Gpu.Name, device.Gpu.Driver, config.Name, steps, comparisons, clock.Elapsed);
        });
    }

    /// <summary>The tokens asked for, those of the framework's steps, or random ones.</summary>
    private int[][] Sequences(RetNetConfig config, TrainingReference? reference)
    {
        var random = new Random(Seed);
        var sequences = Tokens is not null ? TokenBatch.Parse(Tokens).Sequences
            : reference is not null ? [.. reference.Sequences]
            : [.. Enumerable.Range(0, RandomSequences).Select(_ => Enumerable.Range(0, RandomLength).Select(_ => random.Next(config.VocabularySize)).ToArray())];
        if (sequences.SelectMany(ids => ids).FirstOrDefault(id => (uint)id >= (uint)config.VocabularySize, -1) is var unknown and not -1)
            throw new CommandException($"--tokens: token {unknown} is outside the vocabulary of {config.VocabularySize}");
        return sequences[0].Length >= 2 ? sequences : throw new CommandException("--tokens: a sequence needs two tokens at least, the second to be predicted");
    }

    /// <summary>Weights are those after all the framework's steps.</summary>
    private TrainingTrace Trace(TrainingReference reference) => Steps == reference.Losses.Count
        ? TrainingTrace.Of("PyTorch", reference.Losses, reference.Gradients, reference.Weights)
        : TrainingTrace.Of("PyTorch", reference.Losses, reference.Gradients, null);
}
