using CommandLine;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>A verb that runs a model on a device.</summary>
internal abstract class DeviceCommand : GpuCommand
{
    [Option('m', "model", MetaValue = "FILE", HelpText = "GGUF of a RetNet. (Default: " + Folders.BundledModel + " beside the program)")]
    public string? Model { get; set => field = Arguments.Plain(value); }

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

    /// <summary>Puts the model's weights on the device.</summary>
    protected RetNetModel Load(Terminal terminal, GpuDevice device, GgufFile file, MemoryPlan plan)
    {
        var progress = Progress(terminal, "loading");
        var model = RetNetModel.Load(device, file, plan, progress);
        progress?.Clear();
        return model;
    }
}
