using CommandLine;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>A verb that runs something on a device.</summary>
internal abstract class GpuCommand : ICommand
{
    [Option('d', "device", MetaValue = "D", HelpText = "Device: its index in 'retnet devices', its UUID, or a part of its name. (Default: the best GPU)")]
    public string? Device { get; set => field = Arguments.Plain(value); }

    [Option("validate", HelpText = "Run under the Khronos validation layer; exit code 1 if it has a complaint.")]
    public bool Validate { get; set; }

    [Option('q', "quiet", HelpText = "Nothing on stderr but errors.")]
    public bool Quiet { get; set; }

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

    /// <summary>A progress line where somebody may be watching it.</summary>
    protected ProgressLine? Progress(Terminal terminal, string title) =>
        Quiet || !Terminal.ErrorIsTerminal ? null : new ProgressLine(terminal.Error, title);
}
