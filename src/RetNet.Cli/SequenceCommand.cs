using CommandLine;
using RetNet.Vulkan.Execution;

namespace RetNet.Cli;

/// <summary>A verb that takes sequences through a model.</summary>
internal abstract class SequenceCommand : ModelCommand
{
    [Option("state-type", Default = "f32", MetaValue = "TYPE", HelpText = "How the device keeps the retention state: f32, or f16 at half the memory and with two to three digits.")]
    public string StateTypeName { get; set => field = Arguments.Plain(value); } = "";

    /// <summary>The state type asked for.</summary>
    /// <exception cref="UsageException">There is no such type.</exception>
    protected StateType StateType => StateTypeName switch
    {
        "f32" => StateType.F32,
        "f16" => StateType.F16,
        _ => throw new UsageException($"--state-type must be f32 or f16; it is '{StateTypeName}'"),
    };
}
