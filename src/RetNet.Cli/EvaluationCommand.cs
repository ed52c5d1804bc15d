using CommandLine;
using RetNet.Vulkan.Execution;

namespace RetNet.Cli;

/// <summary>A verb that evaluates given tokens in one of the three forms.</summary>
internal abstract class EvaluationCommand : SequenceCommand
{
    private const string Torchscale = "torchscale";

    [Option("mode", Default = "chunkwise", MetaValue = "MODE", HelpText = "Form of retention: parallel, chunkwise or recurrent.")]
    public string Mode { get; set => field = Arguments.Plain(value); } = "";

    [Option("chunk", Default = SequenceOptions.DefaultChunkLength, MetaValue = "C", HelpText = "Tokens of a chunk in the chunkwise form, 1 or more.")]
    public int Chunk { get; set; }

    [Option("exact", MetaValue = Torchscale, HelpText = "Reproduce torchscale's abs-sum clamp, which its parallel form alone has; with --mode parallel.")]
    public string? Exact { get; set => field = Arguments.Plain(value); }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    /// <summary>The form asked for.</summary>
    /// <exception cref="UsageException">There is no such form, or its options do not fit together.</exception>
    protected EvaluationOptions Evaluation()
    {
        if (Rest.FirstOrDefault() is { } extra)
            throw new UsageException($"'{extra}' belongs to no option; a model is named by --model");
        if (!Enum.TryParse(Mode, ignoreCase: true, out ComputationMode mode) || !Enum.IsDefined(mode) || char.IsDigit(Mode[0]))
            throw new UsageException($"--mode must be parallel, chunkwise or recurrent; it is '{Mode}'");
        if (Exact is not (null or Torchscale))
            throw new UsageException($"--exact must be {Torchscale}; it is '{Exact}'");
        var options = new EvaluationOptions { Mode = mode, ChunkLength = Chunk, TorchscaleClamp = Exact is not null, StateType = StateType };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }

        return options;
    }
}
