using System.Diagnostics;
using CommandLine;
using RetNet.Vulkan.Gpu;

namespace RetNet.Cli;

/// <summary>A verb that judges a device: its exit code says whether that computes right.</summary>
internal abstract class CheckCommand : ModelCommand
{
    [Option("json", HelpText = "Print the result as JSON.")]
    public bool Json { get; set; }

    /// <summary>Runs checks on the device asked for and reports what they found.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="check">Runs them, given a clock that runs and how to show what is done: a title and a share.</param>
    /// <returns>The exit code.</returns>
    protected int Judge(Terminal terminal, Func<GpuDevice, Stopwatch, Action<string, double>, ICheckReport> check) => OnDevice(terminal, device =>
    {
        var progress = Progress(terminal, "");
        ICheckReport report;
        try
        {
            report = check(device, Stopwatch.StartNew(), Show);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        finally
        {
            progress?.Clear();
        }

        if (Json)
            JsonOutput.Write(terminal.Out, report.Write);
        else
            report.Write(terminal.Out);
        return report.IsRight ? ExitCode.Success : ExitCode.Failure;

        void Show(string title, double share)
        {
            if (progress is null)
                return;
            progress.Title = title;
            progress.Report(share);
        }
    });
}
