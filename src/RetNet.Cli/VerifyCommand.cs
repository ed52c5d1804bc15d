using CommandLine;
using RetNet.Vulkan.Gguf;
using RetNet.Vulkan.Gpu;
using RetNet.Vulkan.Model;
using RetNet.Vulkan.Verification;

namespace RetNet.Cli;

/// <summary>Whether a device and its driver compute right: every kernel, and the three forms on a model, of one sequence and of several together.</summary>
[Verb("verify", HelpText = "Check that a device computes right: every kernel, and the three forms on a model.")]
internal sealed class VerifyCommand : CheckCommand
{
    /// <summary>How long the oracle may take for the model.</summary>
    private static readonly TimeSpan OracleTime = TimeSpan.FromSeconds(20);

    public override int Run(Terminal terminal)
    {
        using var file = Folders.OpenModel(Model);
        var config = RetNetGguf.ReadConfig(file);
        using var interrupt = new Interrupt();
        return Judge(terminal, (device, clock, show) =>
        {
            var kernels = Kernels(device, show, interrupt.Token);
            using var model = Load(terminal, device, file, ModelVerification.Plan(device, config));
            var forms = Forms(model, file, show, interrupt.Token);
            return new VerifyReport(device.Gpu.Name, device.Gpu.Driver, config.Name, kernels, forms, clock.Elapsed);
        });
    }

    private static List<CheckResult> Kernels(GpuDevice device, Action<string, double> show, CancellationToken cancel)
    {
        var results = new List<CheckResult>();
        foreach (var check in KernelChecks.All)
        {
            cancel.ThrowIfCancellationRequested();
            show($"verifying {check.Variant}", (double)results.Count / KernelChecks.All.Count);
            results.Add(check.Run(device));
        }

        return results;
    }

    private static List<CheckResult> Forms(RetNetModel model, GgufFile file, Action<string, double> show, CancellationToken cancel)
    {
        show("verifying the model, token by token", 0);
        var verification = new ModelVerification(model, file);
        cancel.ThrowIfCancellationRequested();
        show("verifying by the oracle on the processor", 1 / 3.0);
        List<CheckResult> results = [verification.AgainstOracle(OracleTime, cancel)];
        show("verifying the model, many tokens at once", 2 / 3.0);
        foreach (var result in verification.Forms().Concat(verification.Batches()))
        {
            cancel.ThrowIfCancellationRequested();
            results.Add(result);
        }

        return results;
    }
}
