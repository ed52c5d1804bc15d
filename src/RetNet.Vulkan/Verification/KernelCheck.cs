using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>One kernel variant against the same computation in double precision on the processor, over odd shapes.</summary>
public abstract class KernelCheck
{
    private protected KernelCheck(string variant, double tolerance)
    {
        (Variant, Tolerance) = (variant, tolerance);
        Needs = ShaderNeed.Of(variant);
    }

    /// <summary>The variant's name in shaders/variants.props.</summary>
    public string Variant { get; }

    /// <summary>The largest max|Δ| / max|reference| allowed: some rounding errors of f32.</summary>
    public double Tolerance { get; }

    /// <summary>What the variant needs of a device beyond the base.</summary>
    public IReadOnlyList<ShaderNeed> Needs { get; }

    /// <summary>Runs all cases; a device that cannot run the variant is told so in the result.</summary>
    /// <exception cref="GpuException">The device was lost.</exception>
    public CheckResult Run(GpuDevice device) => Run(device, null);

    /// <summary>Runs all cases against references that are changed before.</summary>
    internal CheckResult Run(GpuDevice device, Action<double[]>? distort)
    {
        ArgumentNullException.ThrowIfNull(device);
        var result = new CheckResult { Name = Variant, Against = "oracle", Allowed = Tolerance, Uses = [.. Needs.Select(need => need.Words)] };
        var missing = Needs.Where(need => !need.IsMetBy(device.Capabilities)).Select(need => need.Words).ToArray();
        if (missing.Length > 0)
            return result with { Missing = missing };
        using var run = new CheckRun(device, Tolerance, distort);
        try
        {
            Run(run);
        }
        catch (VulkanCallException e) when (e.Call == "vkCreateComputePipelines")
        {
            return result with { Cases = run.Cases, Error = run.Error, Problem = $"the driver does not build it: {e.Message}" };
        }
        catch (VulkanCallException e)
        {
            throw new GpuException($"{Variant}: {e.Message}", e);
        }

        return result with { Cases = run.Cases, Error = run.Error, Problem = run.Problem };
    }

    /// <summary>Runs the cases.</summary>
    private protected abstract void Run(CheckRun run);
}
