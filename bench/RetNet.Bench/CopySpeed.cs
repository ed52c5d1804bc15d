using System.Diagnostics;
using RetNet.Vulkan.Gpu;

namespace RetNet.Bench;

/// <summary>How fast a device copies within its memory.</summary>
internal static class CopySpeed
{
    private const uint Threads = 256;
    private const int Runs = 5;
    private const int GpuCopies = 8;

    // Well past every cache, and small enough to find room beside other programs.
    private const ulong GpuBytes = 512UL << 20;
    private const ulong ProcessorBytes = 128UL << 20;

    /// <summary>Bytes read and written a second, the best run of the faster way.</summary>
    public static (double BytesPerSecond, string By) Measure(GpuDevice device)
    {
        var bytes = Math.Min(device.Capabilities.Kind == DeviceKind.Cpu ? ProcessorBytes : GpuBytes, device.AvailableBytes / 4) / 256 * 256;
        using var from = device.Allocate("copy, from", bytes);
        using var to = device.Allocate("copy, to", bytes);
        using var kernel = new Kernel<CopyArguments>(device, "copy", Threads);
        var arguments = new CopyArguments { X = from.Address, Y = to.Address, Quads = (uint)(bytes / 16) };
        var groups = Math.Min((arguments.Quads - 1) / Threads + 1, device.Capabilities.WorkgroupCount);
        // Words without a pattern: moving zeros takes less power, and so less time.
        using (var filler = new RandomFiller(device))
            filler.Fill(from.Address, bytes, RandomFormat.Bits, seed: 1);
        var byKernel = Best(device, recorder => recorder.Dispatch(kernel, arguments, groups));
        var byDriver = Best(device, recorder => recorder.Copy(from, 0, to, 0, bytes));
        return byKernel <= byDriver ? (2 * bytes / byKernel, "a kernel") : (2 * bytes / byDriver, "vkCmdCopyBuffer");
    }

    /// <summary>Seconds of one copy.</summary>
    private static double Best(GpuDevice device, Action<Recorder> record)
    {
        // Several at once where a submission costs as much as a part of a copy.
        var copies = device.Capabilities.Kind == DeviceKind.Cpu ? 1 : GpuCopies;
        using var recording = device.Record("copy", recorder =>
        {
            for (var i = 0; i < copies; i++)
            {
                record(recorder);
                recorder.Barrier();
            }
        });
        return Enumerable.Range(0, Runs + 1).Select(_ => Seconds(device, recording)).Skip(1).Min() / copies;
    }

    internal static double Seconds(GpuDevice device, Recording recording)
    {
        var start = Stopwatch.GetTimestamp();
        device.Wait(device.Submit(recording));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
