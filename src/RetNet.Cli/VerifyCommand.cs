using System.Diagnostics;
using CommandLine;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>Whether a device and its driver compute right: every kernel, and the three forms on a model.</summary>
[Verb("verify", HelpText = "Check that a device computes right: every kernel, and the three forms on a model.")]
internal sealed class VerifyCommand : DeviceCommand
{
    /// <summary>How long the oracle may take for the model.</summary>
    private static readonly TimeSpan OracleTime = TimeSpan.FromSeconds(20);

    [Option("json", HelpText = "Print the result as JSON.")]
    public bool Json { get; set; }

    public override int Run(Terminal terminal)
    {
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        using var interrupt = new Interrupt();
        return OnDevice(terminal, device =>
        {
            var clock = Stopwatch.StartNew();
            var progress = Progress(terminal, "");
            try
            {
                var kernels = Kernels(device, progress, interrupt.Token);
                progress?.Clear();
                using var model = Load(terminal, device, file, ModelVerification.Plan(device, config));
                var forms = Forms(model, file, progress, interrupt.Token);
                progress?.Clear();
                var report = new VerifyReport(device.Gpu.Name, device.Gpu.Driver, config.Name, kernels, forms, clock.Elapsed);
                if (Json)
                    JsonOutput.Write(terminal.Out, report.Write);
                else
                    report.Write(terminal.Out);
                return report.IsRight ? ExitCode.Success : ExitCode.Failure;
            }
            catch (OperationCanceledException)
            {
                progress?.Clear();
                return ExitCode.Interrupted;
            }
        });
    }

    private static List<CheckResult> Kernels(GpuDevice device, ProgressLine? progress, CancellationToken cancel)
    {
        var results = new List<CheckResult>();
        foreach (var check in KernelChecks.All)
        {
            cancel.ThrowIfCancellationRequested();
            Show(progress, check.Variant, results.Count, KernelChecks.All.Count);
            results.Add(check.Run(device));
        }

        return results;
    }

    private static List<CheckResult> Forms(RetNetModel model, GgufFile file, ProgressLine? progress, CancellationToken cancel)
    {
        Show(progress, "the model, token by token", 0, 3);
        var verification = new ModelVerification(model, file);
        cancel.ThrowIfCancellationRequested();
        Show(progress, "the oracle on the processor", 1, 3);
        List<CheckResult> results = [verification.AgainstOracle(OracleTime, cancel)];
        Show(progress, "the model, many tokens at once", 2, 3);
        foreach (var result in verification.Forms())
        {
            cancel.ThrowIfCancellationRequested();
            results.Add(result);
        }

        return results;
    }

    private static void Show(ProgressLine? progress, string title, int done, int all)
    {
        if (progress is null)
            return;
        progress.Title = $"verifying {title}";
        progress.Report((double)done / all);
    }
}
