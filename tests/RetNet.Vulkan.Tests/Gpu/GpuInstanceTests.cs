using RetNet.Vulkan.Gpu;

namespace RetNet.Vulkan.Tests.Gpu;

[Collection(TestDevices.Collection)]
public sealed class GpuInstanceTests
{
    [Fact]
    public void DevicesAreChosenByIndexNameAndUuid()
    {
        using var instance = new GpuInstance();
        var gpu = instance.Gpus[^1];
        Assert.Same(gpu, instance.Choose(gpu.Index.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Same(gpu, instance.Choose(gpu.Name.ToUpperInvariant()));
        Assert.Same(gpu, instance.Choose(gpu.Uuid.ToString()));
    }

    [Fact]
    public void TheBestKindIsTheDefault()
    {
        using var instance = new GpuInstance();
        Assert.Equal(instance.Gpus.Min(gpu => gpu.Capabilities.Kind), instance.Choose(null).Capabilities.Kind);
    }

    [Theory]
    [InlineData("99", "There is no device 99; there are: 0 = ")]
    [InlineData("-1", "There is no device -1; there are: 0 = ")]
    [InlineData("Voodoo 2", "No device is called 'Voodoo 2'; there are: 0 = ")]
    public void ADeviceThatIsNotThereIsRefusedWithTheList(string wanted, string message)
    {
        using var instance = new GpuInstance();
        Assert.StartsWith(message, Assert.Throws<GpuException>(() => instance.Choose(wanted)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatADeviceLacksIsNamed()
    {
        var capabilities = TestDevices.Gpu(0).Capabilities;
        Assert.Null(capabilities.MissingRequirement);
        Assert.Equal("Vulkan 1.2 (it has 1.1)", (capabilities with { ApiVersion = new Version(1, 1, 9) }).MissingRequirement);
        Assert.Equal("the feature bufferDeviceAddress", (capabilities with { BufferDeviceAddress = false }).MissingRequirement);
        Assert.Equal("32 KiB of shared memory (it has 16384 bytes)", (capabilities with { SharedMemoryBytes = 16384 }).MissingRequirement);
    }
}
