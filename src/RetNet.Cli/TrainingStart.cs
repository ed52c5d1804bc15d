using System.Text;
using RetNet.Converter;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Text;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>What a run begins or goes on with: a model's settings, its tokenizer, and its weights where it has some.</summary>
internal sealed class TrainingStart : IDisposable
{
    /// <summary>What settings call the fingerprint of the model that adapters belong to.</summary>
    private const string Base = "base";

    private const string TokenizerPrefix = "tokenizer.";

    private readonly GgufFile? _weights;

    private TrainingStart(RetNetConfig config, GgufFile? weights, IReadOnlyList<KeyValuePair<string, object>> metadata, Tokenizer tokenizer, int? begin, int? end)
    {
        (Config, _weights, Metadata, Tokenizer, Begin, End) = (config, weights, metadata, tokenizer, begin, end);
    }

    /// <summary>The model's settings.</summary>
    public RetNetConfig Config { get; }

    /// <summary>What its files hold besides: all but the settings.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Metadata { get; }

    private Tokenizer Tokenizer { get; }

    private int? Begin { get; }

    private int? End { get; }

    /// <summary>Finds out where a run begins; with adapters, from the model that it began with, without, from the checkpoint's.</summary>
    public static TrainingStart Open(TrainingJob job, RunSettings settings, TrainingCheckpoint? checkpoint)
    {
        var start = checkpoint is not null && job.Lora is null ? FromFile(checkpoint.ModelPath, job)
            : job.Model is not null ? FromFile(job.Model, job)
            : FromScratch(job);
        try
        {
            RequireBase(start, job, settings, checkpoint);
            return start;
        }
        catch
        {
            start.Dispose();
            throw;
        }
    }

    public TrainingData ReadData(TrainingJob job) =>
        TrainingData.Read(job.Texts, job.ValidationText, job.ValidationShare, Tokenizer, Begin, End, job.Step.Length, Config.VocabularySize);

    /// <summary>Puts the model on a device, to be trained.</summary>
    public ITrainable Create(GpuDevice device, TrainingJob job)
    {
        var options = new TrainingModelOptions
        {
            Step = job.Step,
            Optimizer = job.Optimizer,
            Lora = job.Lora,
            Seed = job.Seed,
        };
        return _weights is null ? TrainingModel.Random(device, Config, job.Tied, options) : TrainingModel.Load(device, Config, _weights, options);
    }

    public void Dispose() => _weights?.Dispose();

    private static TrainingStart FromFile(string path, TrainingJob job)
    {
        var file = GgufFile.Open(path);
        try
        {
            var config = RetNetGguf.ReadConfig(file);
            TensorShapes.Validate(file, config);
            var tokenizer = ModelTokenizer.Load(file, config.VocabularySize);
            return new(WithDecay(config, job) with { ContextLength = job.Step.Length }, file, TokenizerOf(file), tokenizer.Tokenizer, tokenizer.AddBos ? tokenizer.Bos : null, tokenizer.Eos);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static TrainingStart FromScratch(TrainingJob job)
    {
        if (job.Tokenizer!.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            using var file = GgufFile.Open(job.Tokenizer);
            var known = ModelTokenizer.Load(file, RetNetGguf.ReadConfig(file).VocabularySize);
            return new(ConfigOf(job, known.Tokenizer.VocabularySize), null, TokenizerOf(file), known.Tokenizer, known.AddBos ? known.Bos : null, known.Eos);
        }

        var tokenizer = ReadTokenizer(job.Tokenizer);
        var config = ConfigOf(job, tokenizer.VocabularySize);
        using var described = CheckpointTokenizer.ReadFile(job.Tokenizer, config.VocabularySize);
        return new(config, null, [.. described.Metadata()], tokenizer, described.AddBos ? described.Bos : null, described.Eos);
    }

    private static RetNetConfig ConfigOf(TrainingJob job, int vocabulary)
    {
        RetNetConfig config;
        try
        {
            config = ModelShape.Parse(job.Shape!, vocabulary).Config;
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--shape: {e.Message}");
        }

        if (config.VocabularySize < vocabulary)
            throw new UsageException(FormattableString.Invariant($"--shape: a vocabulary of {config.VocabularySize} is too small for the tokenizer's {vocabulary} tokens"));
        return WithDecay(config, job) with { Name = Path.GetFileName(Path.GetFullPath(job.Out).TrimEnd(Path.DirectorySeparatorChar)), ContextLength = job.Step.Length };
    }

    private static RetNetConfig WithDecay(RetNetConfig config, TrainingJob job)
    {
        try
        {
            return job.Decay is null ? config : config with { Decay = RetentionDecay.Parse(job.Decay, config.Heads) };
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--decay: {e.Message}");
        }
    }

    /// <summary>Adapters belong to the model that they were begun with, wherever its file is now.</summary>
    private static void RequireBase(TrainingStart start, TrainingJob job, RunSettings settings, TrainingCheckpoint? checkpoint)
    {
        if (job.Lora is null)
            return;
        job.Lora.NamesIn(start.Config);
        var fingerprint = start._weights?.Fingerprint() ?? throw new UsageException("--lora adapts a model; give --model");
        if (checkpoint is not null && settings.Take(Base, null) != fingerprint)
            throw new CommandException($"{job.Model}: is not the model that the run's adapters belong to; name that one with --model");
        settings.Take(Base, fingerprint);
    }

    private static Tokenizer ReadTokenizer(string path)
    {
        try
        {
            return Tokenizer.Parse(Encoding.UTF8.GetBytes(TextFiles.Read(path)));
        }
        catch (TokenizerException e)
        {
            throw new CommandException($"{path}: {e.Message}", e);
        }
    }

    private static KeyValuePair<string, object>[] TokenizerOf(GgufFile file) => [.. file.Metadata.Where(entry => entry.Key.StartsWith(TokenizerPrefix, StringComparison.Ordinal))];
}
