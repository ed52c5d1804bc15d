using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Gpu;

[Collection(TestDevices.Collection)]
public sealed class GpuDeviceTests(TestDevices devices)
{
    public static TheoryData<int, string> Devices => TestDevices.All;

    [Theory]
    [MemberData(nameof(Devices))]
    public void BuffersKeepWhatIsWritten(int device, string name)
    {
        _ = name;
        var values = Enumerable.Range(0, 100_003).ToArray();
        using var buffers = new Buffers(devices[device]);
        var source = buffers.Add(values);
        var target = buffers.Add(new int[values.Length + 1]);
        devices[device].Run("copy", recorder =>
        {
            recorder.Fill(target, 7);
            recorder.Barrier();
            recorder.Copy(source, 4, target, 0, source.Bytes - 4);
        });
        var result = new int[values.Length + 1];
        devices[device].Read(target, 0, result.AsSpan());
        Assert.Equal([.. values[1..], 7, 7], result);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void UploadsReachTheirPlaceWhateverTheirSize(int device, string name)
    {
        _ = name;
        const int Unit = 24;
        const ulong Bytes = 3_000_000 * (ulong)Unit;
        using var buffer = devices[device].Allocate("upload", Bytes + 16);
        devices[device].Run("clear", recorder => recorder.Fill(buffer, 0xFFFFFFFF));
        using (var uploader = new Uploader(devices[device]))
            uploader.Write(buffer, 8, Bytes, Unit, Fill);
        var result = new ulong[Bytes / 8 + 2];
        devices[device].Read(buffer, 0, result.AsSpan());
        Assert.Equal(ulong.MaxValue, result[0]);
        Assert.Equal(ulong.MaxValue, result[^1]);
        Assert.True(result[1..^1].Index().All(pair => pair.Item == (ulong)pair.Index));

        static unsafe void Fill(nint target, ulong start, ulong length)
        {
            for (ulong i = 0; i < length / 8; i++)
                ((ulong*)target)[i] = start / 8 + i;
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void AnAllocationBeyondTheLimitIsRefusedWithTheNumbers(int device, string name)
    {
        var error = Assert.Throws<GpuException>(() => devices[device].Allocate("whale", ulong.MaxValue / 2));
        Assert.Contains("'whale' needs", error.Message, StringComparison.Ordinal);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void APlanThatDoesNotFitIsRefusedWithTheNumbers(int device, string name)
    {
        var error = Assert.Throws<GpuException>(() => new MemoryPlan().Add("weights", 1UL << 50).Add("state", 1UL << 20).EnsureFits(devices[device]));
        Assert.Contains($"does not fit {name}: it needs 1048576.0 GiB (weights 1048576.0 GiB + state 1.0 MiB)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void TimingsCountEveryDispatch(int device, string name)
    {
        _ = name;
        if (devices[device].Capabilities.TimestampPeriod == 0)
        {
            Assert.Throws<GpuException>(() => new KernelTimings(devices[device]));
            return;
        }

        using var timings = new KernelTimings(devices[device]);
        using var kernel = new Kernel<NormArguments>(devices[device], "norm", 64);
        using var buffers = new Buffers(devices[device]);
        var (x, weight) = (buffers.Add(new float[50]), buffers.Add(new float[50]));
        using var recording = devices[device].Record("timed", recorder =>
        {
            for (var i = 0; i < 3; i++)
            {
                recorder.Dispatch(kernel, new NormArguments { X = x.Address, Y = x.Address, Weight = weight.Address, Bias = weight.Address, Columns = 50, Eps = 1 }, 1);
                recorder.Barrier();
            }
        }, timings);
        for (var run = 0; run < 2; run++)
        {
            devices[device].Wait(devices[device].Submit(recording));
            timings.Read();
        }

        var (count, seconds) = timings.Totals["norm"];
        Assert.Equal(6, count);
        Assert.True(seconds >= 0);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void ADamagedOrForeignPipelineCacheIsIgnoredAndReplaced(int device, string name)
    {
        _ = name;
        using var folder = new TemporaryFolder();
        byte[] Use()
        {
            using (var opened = new GpuDevice(devices[device].Gpu, folder.Path))
            using (new Kernel<NormArguments>(opened, "norm", 128))
            {
            }

            return File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder.Path)));
        }

        var good = Use();
        Assert.Equal(good.Length, Use().Length);
        var path = Directory.GetFiles(folder.Path)[0];
        foreach (var bad in new[] { [], good[..40], [.. good[..^1], (byte)~good[^1]], new byte[good.Length] })
        {
            File.WriteAllBytes(path, bad);
            Assert.Equal(good.Length, Use().Length);
        }
    }
}
