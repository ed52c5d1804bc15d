using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Verification;

/// <summary>chain_probe: two dispatches with a barrier between them, so that nothing has to wait.</summary>
/// <param name="variant">The variant.</param>
internal sealed class ChainProbeCheck(string variant) : KernelCheck(variant, 0)
{
    private protected override void Run(CheckRun run)
    {
        using var kernel = new Kernel<ChainProbeArguments>(run.Device, Variant, run.Device.Capabilities.SubgroupSize);
        foreach (var workgroups in new[] { 1, 33, 300 })
        {
            run.Arena.Clear();
            float[] x = [.. Enumerable.Range(0, workgroups)];
            var first = run.Arena.Add<float>("x", x);
            var middle = run.Arena.AddOutput<float>("middle", new float[workgroups]);
            var last = run.Arena.AddOutput<float>("y", new float[workgroups]);
            run.Run($"{workgroups} workgroups", recorder =>
            {
                recorder.Dispatch(kernel, new ChainProbeArguments { X = first, Y = middle }, (uint)workgroups);
                recorder.Barrier();
                recorder.Dispatch(kernel, new ChainProbeArguments { X = middle, Y = last }, (uint)workgroups);
            });
            // Each dispatch turns the order around.
            run.Compare<float>("y", [.. x.Select(value => (double)value + 2)], run.Arena.Read<float>(last, workgroups));
        }
    }
}
