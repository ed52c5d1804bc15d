using RetNet.Vulkan.Execution.Arguments;
using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Gpu;

[Collection(TestDevices.Collection)]
public sealed class KernelTests(TestDevices devices)
{
    private const int Columns = 331;

    public static TheoryData<int, string> Devices => TestDevices.All;

    [Theory]
    [MemberData(nameof(Devices))]
    public void AKernelRunsInEverySubgroupSizeThatTheDeviceOffersAndInNoOther(int index, string name)
    {
        var device = devices[index];
        var x = Enumerable.Range(0, Columns).Select(i => MathF.Sin(i)).ToArray();
        var rms = Math.Sqrt(x.Sum(value => (double)value * value) / Columns);
        for (var lanes = 1u; lanes <= 256; lanes *= 2)
        {
            if (device.Capabilities.SubgroupSizeControl?.Include(lanes) is true)
                Assert.All(Norm(device, x, lanes).Index(), y => Assert.Equal(x[y.Index] / rms, y.Item, 1e-5));
            else
                Assert.Equal($"{name} cannot run 'norm' in subgroups of {lanes}.", Assert.Throws<GpuException>(() => Norm(device, x, lanes)).Message);
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void CapabilitiesAreConsistent(int index, string name)
    {
        _ = name;
        var can = TestDevices.Gpu(index).Capabilities;
        Assert.True(can.SubgroupSizeControl?.Include(can.SubgroupSize) is not false);
        Assert.False(can.SubgroupSizeControl?.Include(24) is true);
        Assert.True(can.MatrixShapes.Count == 0 || (can.MemoryModel && can.Float16 && can.Storage16Bit));
        Assert.True(can.WorkgroupMatrices is null || (can.MatrixShapes.Count > 0 && can.WorkgroupMatrices.Granularities.Count > 0));
    }

    private static float[] Norm(GpuDevice device, float[] x, uint lanes)
    {
        using var kernel = new Kernel<NormArguments>(device, "norm", new RequiredSubgroupSize(lanes), 256);
        using var buffers = new Buffers(device);
        var (input, output) = (buffers.Add(x), buffers.Add(new float[Columns]));
        var (weight, bias) = (buffers.Add(Enumerable.Repeat(1f, Columns).ToArray()), buffers.Add(new float[Columns]));
        device.Run("norm", recorder => recorder.Dispatch(
            kernel, new NormArguments { X = input.Address, Y = output.Address, Weight = weight.Address, Bias = bias.Address, Columns = Columns, Stride = Columns }, 1));
        var y = new float[Columns];
        device.Read(output, 0, y.AsSpan());
        return y;
    }
}
