using CommandLine;
using RetNet.Vulkan.Execution;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;

namespace RetNet.Cli;

/// <summary>A verb that runs a model on a device.</summary>
internal abstract class DeviceCommand : ICommand
{
    [Option('m', "model", MetaValue = "FILE", HelpText = "GGUF of a RetNet. (Default: " + Folders.BundledModel + " beside the program)")]
    public string? Model { get; set => field = Arguments.Plain(value); }

    [Option('d', "device", MetaValue = "D", HelpText = "Device: its index in 'retnet devices', its UUID, or a part of its name. (Default: the best GPU)")]
    public string? Device { get; set => field = Arguments.Plain(value); }

    [Option("state-type", Default = "f32", MetaValue = "TYPE", HelpText = "How the device keeps the retention state: f32, or f16 at half the memory and with two to three digits.")]
    public string StateTypeName { get; set => field = Arguments.Plain(value); } = "";

    [Option("validate", HelpText = "Run under the Khronos validation layer; exit code 1 if it has a complaint.")]
    public bool Validate { get; set; }

    [Option('q', "quiet", HelpText = "Nothing on stderr but errors.")]
    public bool Quiet { get; set; }

    /// <summary>The state type asked for.</summary>
    /// <exception cref="UsageException">There is no such type.</exception>
    protected StateType StateType => StateTypeName switch
    {
        "f32" => StateType.F32,
        "f16" => StateType.F16,
        _ => throw new UsageException($"--state-type must be f32 or f16; it is '{StateTypeName}'"),
    };

    /// <summary>Where compiled pipelines are kept between runs; null keeps none.</summary>
    protected virtual string? PipelineCache => Folders.Cache;

    public abstract int Run(Terminal terminal);

    /// <summary>Opens the device asked for and runs something on it.</summary>
    /// <returns>What that returns, or a failure where the validation layer complained.</returns>
    protected int OnDevice(Terminal terminal, Func<GpuDevice, int> run)
    {
        var complaints = 0;
        int code;
        using (var instance = new GpuInstance(Validate, message =>
        {
            Interlocked.Increment(ref complaints);
            terminal.Error.WriteLine($"validation: {message}");
        }))
        {
            var gpu = instance.Choose(Device);
            if (!Quiet && Device is null && gpu.Capabilities.Kind == DeviceKind.Cpu)
                terminal.Error.WriteLine($"retnet: no GPU found; running on the processor ({gpu.Name})");
            using var device = new GpuDevice(gpu, PipelineCache);
            code = run(device);
        }

        return complaints > 0 ? ExitCode.Failure : code;
    }

    /// <summary>Puts the model's weights on the device.</summary>
    protected RetNetModel Load(Terminal terminal, GpuDevice device, GgufFile file, MemoryPlan plan)
    {
        var progress = Progress(terminal, "loading");
        var model = RetNetModel.Load(device, file, plan, progress);
        progress?.Clear();
        return model;
    }

    /// <summary>A progress line where somebody may be watching it.</summary>
    protected ProgressLine? Progress(Terminal terminal, string title) =>
        Quiet || !Terminal.ErrorIsTerminal ? null : new ProgressLine(terminal.Error, title);
}
