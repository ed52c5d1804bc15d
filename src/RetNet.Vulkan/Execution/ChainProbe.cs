using System.Runtime.CompilerServices;
using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Execution;

/// <summary>
/// Tries whether a device starts workgroups in the order of their dispatches, which chains rely on and Vulkan does not promise: a few
/// dispatches, each larger than a GPU holds at once, that wait for each other's results.
/// </summary>
internal static class ChainProbe
{
    /// <summary>Environment variable: set to 0, every dispatch has a barrier before it.</summary>
    public const string Switch = "RETNET_CHAINS";

    private const uint Threads = 256;
    private const uint Workgroups = 8192;
    private const int Dispatches = 6;

    private static readonly ConditionalWeakTable<GpuDevice, object> Results = [];

    /// <summary>Whether chains may be used on a device; tried once.</summary>
    public static bool Passes(GpuDevice device) => Environment.GetEnvironmentVariable(Switch) != "0" && (bool)Results.GetValue(device, Try);

    private static object Try(GpuDevice device)
    {
        const ulong bytes = Workgroups * sizeof(float);
        using var buffer = device.Allocate("chain probe", (Dispatches + 1) * bytes);
        using var kernel = new Kernel<ChainProbeArguments>(device, "chain_probe", Threads);
        device.Run("chain probe", recorder =>
        {
            recorder.Fill(buffer, 0, bytes, 0);
            recorder.Fill(buffer, bytes, Dispatches * bytes, DispatchChain.Missing);
            recorder.Barrier();
            for (var i = 0UL; i < Dispatches; i++)
                recorder.Dispatch(kernel, new ChainProbeArguments { X = buffer.Address + (i * bytes), Y = buffer.Address + ((i + 1) * bytes) }, Workgroups);
        });
        var last = new float[Workgroups];
        device.Read(buffer, Dispatches * bytes, last.AsSpan());
        return last.All(value => value == Dispatches);
    }
}
