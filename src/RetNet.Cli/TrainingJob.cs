using System.Globalization;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>What <c>retnet train</c> is to do: its options with their defaults, those of a run that goes on included.</summary>
internal sealed record TrainingJob
{
    private const string Parallel = "parallel";
    private const int Largest = 1 << 20;

    public required string Out { get; init; }

    public required string? Model { get; init; }

    public required string? Shape { get; init; }

    public required string? Tokenizer { get; init; }

    public required bool Tied { get; init; }

    public required IReadOnlyList<string> Texts { get; init; }

    public required string? ValidationText { get; init; }

    public required float ValidationShare { get; init; }

    public required TrainingStepOptions Step { get; init; }

    public required string? Decay { get; init; }

    public required ulong Seed { get; init; }

    public required LoraOptions? Lora { get; init; }

    public required Func<GpuDevice, ParameterSet, Optimizer> Optimizer { get; init; }

    public required TrainerOptions Trainer { get; init; }

    public required string? Log { get; init; }

    public required string? Plot { get; init; }

    /// <exception cref="UsageException">An option is missing, out of range, or not that of the run that goes on.</exception>
    public static TrainingJob Read(TrainCommand command, RunSettings settings)
    {
        var lora = ReadLora(command, settings);
        // Adapters know their model by its contents (TrainingStart); without them a run goes on from its own checkpoint.
        var model = lora is null ? settings.Keep("model", FullPath(command.Model)) : settings.Take("model", FullPath(command.Model));
        var shape = settings.Keep("shape", command.Shape);
        var tokenizer = settings.Take("tokenizer", FullPath(command.Tokenizer));
        RequireStart(model, shape, tokenizer, command.Tied && shape is null);
        var texts = settings.Take("text", command.Texts.Any() ? string.Join('\n', command.Texts.Select(FullPath)) : null)
            ?? throw new UsageException("--text is missing: what to train on");
        var batch = InRange("batch", settings.Keep("batch", command.Batch, 8), 1, Largest);
        var microBatch = InRange("micro-batch", settings.Keep("micro-batch", command.MicroBatch, batch), 1, batch);
        if (batch % microBatch != 0)
            throw new UsageException(Text($"--micro-batch must divide --batch; {microBatch} does not divide {batch}"));
        var seed = settings.Keep("seed", command.Seed, 1UL);
        var share = settings.Keep("val-share", command.ValidationShare, 0.05f);
        if (!(share >= 0 && share < 1))
            throw new UsageException(Text($"--val-share must be from 0 to below 1; it is {share}"));
        return new TrainingJob
        {
            Out = command.Out!,
            Model = model,
            Shape = shape,
            Tokenizer = tokenizer,
            Tied = settings.Keep("tied", command.Tied ? "true" : null) is not null,
            Texts = texts.Split('\n'),
            ValidationText = settings.Take("val", FullPath(command.ValidationText)),
            ValidationShare = share,
            Step = ReadStep(command, settings, microBatch),
            Decay = settings.Keep("decay", command.Decay),
            Seed = seed,
            Lora = lora,
            Optimizer = ReadOptimizer(command, settings, lora is not null),
            Trainer = ReadTrainer(command, settings, batch, seed, lora is not null ? 2e-4f : shape is null ? 5e-5f : 3e-4f),
            Log = settings.Take("log", FullPath(command.Log)),
            Plot = settings.Take("plot", FullPath(command.Plot)),
        };
    }

    private static void RequireStart(string? model, string? shape, string? tokenizer, bool lonelyTied)
    {
        if (model is null && shape is null)
            throw new UsageException("give --model, a GGUF to go on from, or --shape and --tokenizer to begin from scratch");
        if (model is not null && shape is not null)
            throw new UsageException("--model and --shape are two ways to begin; give one of them");
        if (shape is not null && tokenizer is null)
            throw new UsageException("--tokenizer is missing: a tokenizer.json, or a GGUF file that has one");
        if (shape is null && tokenizer is not null)
            throw new UsageException("--tokenizer is for --shape; a model's file has its own");
        if (lonelyTied)
            throw new UsageException("--tied is for --shape; a model's file says by itself");
    }

    private static TrainingStepOptions ReadStep(TrainCommand command, RunSettings settings, int sequences)
    {
        var step = new TrainingStepOptions
        {
            Sequences = sequences,
            Length = InRange("length", settings.Keep("length", command.Length, 256), 1, Largest),
            ChunkLength = ReadChunk(settings.Keep("chunk", command.Chunk, "64")!),
            // The gradients are the same to the bit, so a resumed run may change it.
            Recompute = command.Recompute ? true : null,
            Precision = settings.Keep("precision", command.Precision, "f32") switch
            {
                "f32" => ProductPrecision.F32,
                "f16" => ProductPrecision.F16,
                var other => throw new UsageException($"--precision must be f32 or f16; it is '{other}'"),
            },
        };
        try
        {
            step.Validate();
            return step;
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--micro-batch and --length: {e.Message}");
        }
    }

    private static int? ReadChunk(string text) => text == Parallel ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length is >= 1 and <= Largest ? length
        : throw new UsageException($"--chunk must be a number of tokens, 1 or more, or {Parallel}; it is '{text}'");

    private static LoraOptions? ReadLora(TrainCommand command, RunSettings settings)
    {
        var rank = settings.Keep("lora", command.LoraRank?.ToString(CultureInfo.InvariantCulture));
        if (rank is null)
        {
            return command.LoraAlpha is null && command.LoraTargets is null ? null
                : throw new UsageException($"{(command.LoraAlpha is null ? "--lora-targets" : "--lora-alpha")} is for --lora RANK");
        }

        var size = InRange("lora", int.Parse(rank, CultureInfo.InvariantCulture), 1, 1 << 16);
        var targets = settings.Keep("lora-targets", command.LoraTargets, "q,k,v,g,o")!.Split(',').Distinct().ToArray();
        if (targets.FirstOrDefault(target => !LoraOptions.Targets.ContainsKey(target)) is { } unknown)
            throw new UsageException($"--lora-targets takes some of {string.Join(", ", LoraOptions.Targets.Keys)}, separated by commas; it has '{unknown}'");
        return new LoraOptions { Rank = size, Alpha = InRange("lora-alpha", settings.Keep("lora-alpha", command.LoraAlpha, 2f * size), float.Epsilon, float.MaxValue), Matrices = targets };
    }

    private static Func<GpuDevice, ParameterSet, Optimizer> ReadOptimizer(TrainCommand command, RunSettings settings, bool lora)
    {
        var name = settings.Keep("optimizer", command.Optimizer, "adamw");
        double? clip = InRange("clip", settings.Keep("clip", command.Clip, 1f), 0, float.MaxValue) is > 0 and var most ? most : null;
        if (name is not ("adamw" or "sgd"))
            throw new UsageException($"--optimizer must be adamw or sgd; it is '{name}'");
        if (name == "sgd" && (command.Beta1 ?? command.Beta2 ?? command.Epsilon) is not null)
            throw new UsageException("--beta1, --beta2 and --eps are for --optimizer adamw");
        if (name == "adamw" && command.Momentum is not null)
            throw new UsageException("--momentum is for --optimizer sgd");
        var weightDecay = InRange("weight-decay", settings.Keep("weight-decay", command.WeightDecay, lora || name == "sgd" ? 0 : 0.1f), 0, float.MaxValue);
        if (name == "sgd")
        {
            var sgd = new SgdOptions { Momentum = Share("momentum", settings.Keep("momentum", command.Momentum, 0.9f)), WeightDecay = weightDecay, ClipNorm = clip };
            return (device, parameters) => new Sgd(device, parameters, sgd);
        }

        var adamW = new AdamWOptions
        {
            Beta1 = Share("beta1", settings.Keep("beta1", command.Beta1, 0.9f)),
            Beta2 = Share("beta2", settings.Keep("beta2", command.Beta2, 0.95f)),
            Eps = InRange("eps", settings.Keep("eps", command.Epsilon, 1e-8f), float.Epsilon, 1),
            WeightDecay = weightDecay,
            ClipNorm = clip,
        };
        return (device, parameters) => new AdamW(device, parameters, adamW);
    }

    private static TrainerOptions ReadTrainer(TrainCommand command, RunSettings settings, int batch, ulong seed, float usualRate)
    {
        var steps = InRange("steps", settings.Take("steps", command.Steps, 1000), 1, 100_000_000);
        var rate = InRange("lr", settings.Keep("lr", command.LearningRate, usualRate), 0, 1000);
        var (every, after) = ReadInterval(settings.Take("checkpoint-every", command.CheckpointEvery, "10m")!);
        return new TrainerOptions
        {
            Schedule = new(rate, InRange("min-lr", settings.Keep("min-lr", command.LowestRate, rate / 10), 0, rate), InRange("warmup", settings.Keep("warmup", command.WarmUp, steps / 20), 0, steps), steps),
            Batch = batch,
            Seed = seed,
            ValidateEvery = InRange("val-every", settings.Keep("val-every", command.ValidateEvery, 100), 1, int.MaxValue),
            ValidationWindows = InRange("val-windows", settings.Keep("val-windows", command.ValidationWindows, 64), 0, int.MaxValue),
            CheckpointEvery = every,
            CheckpointAfter = after,
            KeptCheckpoints = InRange("keep", settings.Take("keep", command.Keep, 2), 1, int.MaxValue),
        };
    }

    private static (int Steps, TimeSpan Time) ReadInterval(string text)
    {
        var (digits, unit) = text.EndsWith('s') ? (text[..^1], 1) : text.EndsWith('m') ? (text[..^1], 60) : (text, 0);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 100_000_000)
            throw new UsageException($"--checkpoint-every must be a number of steps, or of seconds or minutes as in 90s and 10m; it is '{text}'");
        return unit == 0 ? (number, TimeSpan.Zero) : (0, TimeSpan.FromSeconds((long)number * unit));
    }

    private static T InRange<T>(string option, T value, T least, T most)
        where T : IComparable<T>, IFormattable =>
        value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--{option} must be {least} to {most}; it is {value}"));

    private static float Share(string option, float value) =>
        value is >= 0 and < 1 ? value : throw new UsageException(Text($"--{option} must be from 0 to below 1; it is {value}"));

    private static string? FullPath(string? path) => path is { Length: > 0 } ? Path.GetFullPath(path) : path;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
