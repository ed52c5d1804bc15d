using System.Globalization;
using CommandLine;
using RetNet.Bench;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Training;

namespace RetNet.Cli;

/// <summary>Trains a model from scratch or from a file, whole or by adapters.</summary>
[Verb("train", HelpText = "Train a model on text, from scratch or from a GGUF file.")]
internal sealed class TrainCommand : GpuCommand
{
    [Option('m', "model", MetaValue = "FILE", HelpText = "GGUF of a RetNet to go on from, of any type.")]
    public string? Model { get; set => field = Arguments.Plain(value); }

    [Option("shape", MetaValue = "SHAPE", HelpText = "Instead of a model: begin with random weights of a shape, D,L,H,DK,DV,FFN[,V] or a name of 'retnet bench --shape', in the tokenizer's vocabulary unless V is given.")]
    public string? Shape { get; set => field = Arguments.Plain(value); }

    [Option("tokenizer", MetaValue = "FILE", HelpText = "With --shape: a tokenizer.json, or a GGUF file that has one.")]
    public string? Tokenizer { get; set => field = Arguments.Plain(value); }

    [Option("tied", HelpText = "With --shape: the embedding is the output projection too.")]
    public bool Tied { get; set; }

    [Option("text", MetaValue = "FILE", HelpText = "UTF-8 text to train on; may be given several times. Each file is a document, or several with <|endoftext|>, or what ends a text in the model, between them.")]
    public IEnumerable<string> Texts { get; set => field = [.. value.Select(text => Arguments.Plain(text))]; } = [];

    [Option("val", MetaValue = "FILE", HelpText = "Text to validate with.")]
    public string? ValidationText { get; set => field = Arguments.Plain(value); }

    [Option("val-share", MetaValue = "X", HelpText = "Without --val: the share of each text, at its end, that is held out. (Default: 0.05)")]
    public float? ValidationShare { get; set; }

    [Option("val-every", MetaValue = "N", HelpText = "Steps between two validations. (Default: 100)")]
    public int? ValidateEvery { get; set; }

    [Option("val-windows", MetaValue = "N", HelpText = "Windows that a validation reads, the first ones; 0 reads all. (Default: 64)")]
    public int? ValidationWindows { get; set; }

    [Option('o', "out", MetaValue = "FOLDER", HelpText = "Folder for checkpoints, step-NNNNNN with model.gguf and state.gguf; the last one's model.gguf is the result.")]
    public string? Out { get; set => field = Arguments.Plain(value); }

    [Option("resume", HelpText = "Go on with the run in --out from its last checkpoint, exactly as it would have gone on. Options are those of the run.")]
    public bool Resume { get; set; }

    [Option("steps", MetaValue = "N", HelpText = "Updates of the weights. With --resume another number moves the end of the schedule. (Default: 1000)")]
    public int? Steps { get; set; }

    [Option("batch", MetaValue = "N", HelpText = "Windows of a step. (Default: 8)")]
    public int? Batch { get; set; }

    [Option("micro-batch", MetaValue = "N", HelpText = "Windows that are on the device at once; divides --batch. (Default: --batch)")]
    public int? MicroBatch { get; set; }

    [Option("length", MetaValue = "T", HelpText = "Tokens of a window. (Default: 256)")]
    public int? Length { get; set; }

    [Option("chunk", MetaValue = "C", HelpText = "Tokens of a chunk of the chunkwise form, or parallel, whose time grows with T². The gradients are the same to rounding. (Default: 64)")]
    public string? Chunk { get; set => field = Arguments.Plain(value); }

    [Option("recompute", HelpText = "Keep only the input of each layer for the gradients and compute the rest again: slower, in a fraction of the memory. (Default: where it does not fit otherwise)")]
    public bool Recompute { get; set; }

    [Option("lr", MetaValue = "X", HelpText = "Highest learning rate. (Default: 0.0003; from a model 0.00005; with --lora 0.0002)")]
    public float? LearningRate { get; set; }

    [Option("min-lr", MetaValue = "X", HelpText = "Learning rate of the end, to which it falls along a cosine. (Default: --lr / 10)")]
    public float? LowestRate { get; set; }

    [Option("warmup", MetaValue = "N", HelpText = "First steps, along which the learning rate rises. (Default: --steps / 20)")]
    public int? WarmUp { get; set; }

    [Option("optimizer", MetaValue = "NAME", HelpText = "adamw or sgd, as torch.optim has them. (Default: adamw)")]
    public string? Optimizer { get; set => field = Arguments.Plain(value); }

    [Option("beta1", MetaValue = "X", HelpText = "AdamW's decay of the mean of gradients. (Default: 0.9)")]
    public float? Beta1 { get; set; }

    [Option("beta2", MetaValue = "X", HelpText = "AdamW's decay of the mean of their squares. (Default: 0.95)")]
    public float? Beta2 { get; set; }

    [Option("eps", MetaValue = "X", HelpText = "AdamW's epsilon. (Default: 1E-08)")]
    public float? Epsilon { get; set; }

    [Option("momentum", MetaValue = "X", HelpText = "SGD's momentum. (Default: 0.9)")]
    public float? Momentum { get; set; }

    [Option("weight-decay", MetaValue = "X", HelpText = "Decay of matrices, not of norms and biases. (Default: 0.1; with --lora or sgd 0)")]
    public float? WeightDecay { get; set; }

    [Option("clip", MetaValue = "X", HelpText = "Norm of all gradients above which they are scaled down to it; 0 clips none. (Default: 1)")]
    public float? Clip { get; set; }

    [Option("precision", MetaValue = "TYPE", HelpText = "Inputs of matrix products: f32, or f16 on matrix units with a dynamic loss scale. Weights, gradients and sums are f32. (Default: f32)")]
    public string? Precision { get; set => field = Arguments.Plain(value); }

    [Option("seed", MetaValue = "N", HelpText = "What random weights and the order of the text follow from. (Default: 1)")]
    public ulong? Seed { get; set; }

    [Option("decay", MetaValue = "RATES", HelpText = "Decay rates of the heads: multiscale (1 - 2^(-5-h)), single:GAMMA, or a list, one a head. (Default: the model's; multiscale)")]
    public string? Decay { get; set => field = Arguments.Plain(value); }

    [Option("lora", MetaValue = "RANK", HelpText = "Train adapters of this rank instead of the weights; checkpoints hold the weights with the adapters merged in.")]
    public int? LoraRank { get; set; }

    [Option("lora-alpha", MetaValue = "A", HelpText = "Adapters count A/RANK. (Default: 2 RANK)")]
    public float? LoraAlpha { get; set; }

    [Option("lora-targets", MetaValue = "LIST", HelpText = "Matrices with an adapter, of q, k, v, g, o, gate, up and down. (Default: q,k,v,g,o)")]
    public string? LoraTargets { get; set => field = Arguments.Plain(value); }

    [Option("checkpoint-every", MetaValue = "N", HelpText = "Steps between two checkpoints, or with s or m behind it time. One more is made at the end and on Ctrl+C. (Default: 10m)")]
    public string? CheckpointEvery { get; set => field = Arguments.Plain(value); }

    [Option("keep", MetaValue = "N", HelpText = "Checkpoints that are kept, the newest. (Default: 2)")]
    public int? Keep { get; set; }

    [Option("log", MetaValue = "FILE", HelpText = "Write a line a step, CSV or, where the name ends in .jsonl, JSON.")]
    public string? Log { get; set => field = Arguments.Plain(value); }

    [Option("plot", MetaValue = "FILE.svg", HelpText = "Draw loss and validation loss, at every checkpoint and at the end.")]
    public string? Plot { get; set => field = Arguments.Plain(value); }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    public override int Run(Terminal terminal)
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"'{extra}' belongs to no option; text is named by --text, a model by --model");
        var folder = Out ?? throw new UsageException("--out is missing: the folder for checkpoints");
        using var checkpoint = OpenCheckpoint(folder);
        var settings = new RunSettings(checkpoint?.Settings);
        var job = TrainingJob.Read(this, settings);
        RequireOutputs(job);
        using var start = TrainingStart.Open(job, settings, checkpoint);
        var data = start.ReadData(job);
        Describe(terminal, data);
        using var interrupt = new Interrupt();
        return OnDevice(terminal, device =>
        {
            using var model = start.Create(device, job);
            if (!Quiet)
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"retnet: {model.Weights.Sum(shape => shape.Dimensions.Aggregate((a, b) => a * b)):N0} parameters; training takes {MemoryPlan.Size(device.PeakBytes)} of {device.Gpu.Name}"));
            checkpoint?.Restore(model, data);
            using var checkpoints = CheckpointFolder.Open(folder);
            var state = checkpoint?.State ?? new TrainingState { LossScale = job.Step.Precision == ProductPrecision.F16 ? LossScale.Initial : LossScale.None };
            return Train(terminal, job, state, model, data, checkpoints, new(settings.Values, start.Metadata), interrupt.Token);
        });
    }

    private int Train(Terminal terminal, TrainingJob job, TrainingState state, ITrainable model, TrainingData data, CheckpointFolder folder, TrainingRun run, CancellationToken cancellation)
    {
        using var log = job.Log is null ? null : new TrainingLog(job.Log, state.History);
        using var progress = new TrainingProgress(terminal.Error, Quiet ? null : Terminal.ErrorIsTerminal, job.Trainer.Schedule.Steps, state);
        Trainer? trainer = null;
        trainer = new Trainer(model, data, job.Trainer, state, folder, run)
        {
            OnStep = row =>
            {
                log?.Add(row);
                progress.Report(row);
            },
            OnCheckpoint = path =>
            {
                progress.Saved(path);
                Draw(job, trainer!);
            },
        };
        var done = trainer.Run(cancellation);
        Draw(job, trainer);
        progress.Clear();
        if (folder.Latest is { } last)
            Conclude(terminal, trainer, TrainingCheckpoint.ModelIn(last), done);
        return done ? ExitCode.Success : ExitCode.Interrupted;
    }

    private TrainingCheckpoint? OpenCheckpoint(string folder)
    {
        var latest = CheckpointFolder.LatestIn(folder);
        if (Resume)
            return TrainingCheckpoint.Open(latest ?? throw new CommandException($"{folder}: there is no checkpoint to go on from"));
        return latest is null ? null : throw new CommandException($"{folder}: has the checkpoints of a run up to {Path.GetFileName(latest)}; go on with --resume, or name another folder");
    }

    private void Describe(Terminal terminal, TrainingData data)
    {
        if (!Quiet)
            terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"retnet: {data.Training.Tokens.Length:N0} tokens to train on, {data.Validation.Tokens.Length:N0} held out; without context they cost {data.Training.UnigramEntropy():0.000} nats each"));
    }

    private static void Conclude(Terminal terminal, Trainer trainer, string model, bool done)
    {
        var last = trainer.History[^1];
        var validation = trainer.History.LastOrDefault(row => float.IsFinite(row.ValidationLoss)) is { ValidationLoss: > 0 and var loss } ? string.Create(CultureInfo.InvariantCulture, $", validation loss {loss:0.0000}") : "";
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model}: step {last.Step}, {trainer.Epoch:0.00} epochs, loss {last.Loss:0.0000}{validation}, {TimeSpan.FromSeconds(Math.Round(last.Seconds)):c}"));
        terminal.Out.WriteLine(done ? $"retnet generate -m {model}" : "stopped; go on with --resume");
    }

    private static void Draw(TrainingJob job, Trainer trainer)
    {
        if (job.Plot is { } path)
            OnFile(() => OutputFile.Write(path, LossPlot.Write(Path.GetFileName(Path.GetFullPath(job.Out)), trainer.History)));
    }

    /// <summary>Refuses what cannot be written before anything is computed.</summary>
    private static void RequireOutputs(TrainingJob job)
    {
        if (File.Exists(job.Out))
            throw new CommandException($"{job.Out}: is a file; checkpoints need a folder");
        foreach (var path in new[] { job.Log, job.Plot })
            if (path is not null)
                OnFile(() => OutputFile.RequireWritable(path));
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
}
