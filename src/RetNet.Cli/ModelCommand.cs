using CommandLine;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>A verb that runs a model on a device.</summary>
internal abstract class ModelCommand : GpuCommand
{
    [Option('m', "model", MetaValue = "FILE", HelpText = "GGUF of a RetNet. (Default: " + Folders.BundledModel + " beside the program)")]
    public string? Model { get; set => field = Arguments.Plain(value); }

    /// <summary>Puts the model's weights on the device.</summary>
    protected RetNetModel Load(Terminal terminal, GpuDevice device, GgufFile file, MemoryPlan plan)
    {
        var progress = Progress(terminal, "loading");
        var model = RetNetModel.Load(device, file, plan, progress);
        progress?.Clear();
        return model;
    }
}
